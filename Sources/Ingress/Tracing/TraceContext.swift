internal import ASCII
internal import Contracts

/// The W3C trace context of a request (Trace Context, section 3).
struct TraceContext: Sendable, Hashable {
    private static let maximumStateLength = 512

    /// The `traceparent` to pass on.
    let traceparent: String
    /// The `tracestate` to pass on; `nil` if the client's `tracestate` or `traceparent` is missing or invalid.
    let tracestate: String?
    /// The trace id, 32 hexadecimal digits.
    var traceID: String { String(traceparent.dropFirst(3).prefix(32)) }

    /// Adopts the client's context if it is valid, otherwise starts a new trace.
    init(traceparent: String?, tracestate: String?) {
        guard let traceparent, Self.isValid(traceparent) else {
            self.init()
            return
        }
        self.init(valid: traceparent, tracestate: tracestate.flatMap { Self.isValidState($0) ? $0 : nil })
    }

    /// Starts a new trace that is not sampled.
    init() {
        var generator = PooledGenerator()
        var text: [UInt8] = Array("00-".utf8)
        text.reserveCapacity(55)
        Self.appendHex(UInt64.random(in: 1...UInt64.max, using: &generator), to: &text)
        Self.appendHex(UInt64.random(in: 1...UInt64.max, using: &generator), to: &text)
        text.append(UInt8(ascii: "-"))
        Self.appendHex(UInt64.random(in: 1...UInt64.max, using: &generator), to: &text)
        text += "-00".utf8
        self.init(valid: String(decoding: text, as: UTF8.self), tracestate: nil)
    }

    private init(valid traceparent: String, tracestate: String?) {
        self.traceparent = traceparent
        self.tracestate = tracestate
    }

    /// Returns whether a text is a valid `traceparent`: a version of 2 digits other than `ff`, a trace id of 32 digits,
    /// a parent id of 16 digits, and flags of 2 digits, separated by hyphens. The digits are hexadecimal and in lower
    /// case, and neither id is all zeros. Versions after `00` may have further fields.
    private static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(56))
        guard bytes.count >= 55, text.utf8.count <= 512 else { return false }
        let isFirstVersion = bytes[0] == UInt8(ascii: "0") && bytes[1] == UInt8(ascii: "0")
        if bytes.count > 55 {
            guard !isFirstVersion, bytes[55] == UInt8(ascii: "-"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { return false }
        }
        for (index, byte) in bytes.prefix(55).enumerated() {
            let isDash = index == 2 || index == 35 || index == 52
            guard isDash ? byte == UInt8(ascii: "-") : byte.isLowercaseHexadecimal else { return false }
        }
        let isForbiddenVersion = bytes[0] == UInt8(ascii: "f") && bytes[1] == UInt8(ascii: "f")
        return !isForbiddenVersion && bytes[3..<35].contains { $0 != UInt8(ascii: "0") }
            && bytes[36..<52].contains { $0 != UInt8(ascii: "0") }
    }

    private static func isValidState(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= maximumStateLength && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    private static func appendHex(_ number: UInt64, to text: inout [UInt8]) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 0xF
            text.append(digit.hexadecimal)
        }
    }
}
