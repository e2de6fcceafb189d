/// One violation of a schema.
package struct ValidationFault: Sendable, Hashable {
    /// A JSON pointer (RFC 6901) to the faulty value; empty for the whole document.
    package let pointer: String
    /// The rule that the value violates, for the client: "must be a UUID".
    package let message: String

    package init(pointer: String, message: String) {
        self.pointer = pointer
        self.message = message
    }
}

/// The faults of a value that violates its schema; at most fifty.
package struct ValidationError: Error, Sendable, Hashable {
    /// The faults in the order of their detection; never empty.
    package let faults: [ValidationFault]

    package init(faults: [ValidationFault]) {
        self.faults = faults
    }
}

/// Collects the faults of a value while it is decoded.
///
/// A pointer is built from the inside out, and only after a fault, so that no pointer is built for a valid value.
struct FaultCollector {
    static let limit = 50
    private(set) var faults: [ValidationFault] = []

    var count: Int { faults.count }

    /// Adds a fault, unless the limit is reached.
    mutating func add(_ message: String, at pointer: String = "") {
        guard faults.count < Self.limit else { return }
        faults.append(ValidationFault(pointer: pointer, message: message))
    }

    /// Removes the faults from an index on.
    mutating func removeAll(from first: Int) {
        faults.removeSubrange(first...)
    }

    /// Prepends a reference token to the pointers of the faults from an index on.
    mutating func prependPointer(from first: Int, _ token: @autoclosure () -> String) {
        guard first < faults.count else { return }
        let prefix = Self.pointer(token())
        for index in first..<faults.count {
            let fault = faults[index]
            faults[index] = ValidationFault(pointer: prefix + fault.pointer, message: fault.message)
        }
    }

    /// Returns a pointer that consists of one reference token, with `~` and `/` escaped.
    static func pointer(_ token: String) -> String {
        guard token.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
            return "/" + token
        }
        var bytes: [UInt8] = [UInt8(ascii: "/")]
        for byte in token.utf8 {
            switch byte {
            case UInt8(ascii: "~"): bytes.append(contentsOf: "~0".utf8)
            case UInt8(ascii: "/"): bytes.append(contentsOf: "~1".utf8)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
