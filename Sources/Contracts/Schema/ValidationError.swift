/// One thing that is wrong with a value, and where.
package struct ValidationFault: Sendable, Hashable {
    /// A JSON pointer (RFC 6901) into the document; empty for the whole of it.
    package let pointer: String
    /// What is wrong, for the one who sent it.
    package let message: String

    package init(pointer: String, message: String) {
        self.pointer = pointer
        self.message = message
    }
}

/// A value that is not what its schema says: all that is wrong with it, up to fifty faults.
package struct ValidationError: Error, Sendable, Hashable {
    /// In the order in which they were found; never empty.
    package let faults: [ValidationFault]

    package init(faults: [ValidationFault]) {
        self.faults = faults
    }
}

/// Collects what is wrong while a value is read. A way in which nothing is wrong costs nothing: pointers are put
/// together from the inside out, once there is a fault to point at.
struct FaultCollector {
    static let limit = 50
    private(set) var faults: [ValidationFault] = []

    var count: Int { faults.count }

    mutating func note(_ message: String, at pointer: String = "") {
        guard faults.count < Self.limit else { return }
        faults.append(ValidationFault(pointer: pointer, message: message))
    }

    /// Drops the faults from that one on.
    mutating func forget(from first: Int) {
        faults.removeSubrange(first...)
    }

    /// Moves the faults from that one on below a member or an element.
    mutating func nest(from first: Int, under token: @autoclosure () -> String) {
        guard first < faults.count else { return }
        let prefix = Self.pointer(token())
        for index in first..<faults.count {
            let fault = faults[index]
            faults[index] = ValidationFault(pointer: prefix + fault.pointer, message: fault.message)
        }
    }

    /// One reference token of a pointer, escaped.
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
