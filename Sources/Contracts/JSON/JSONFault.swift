/// The first fault in a JSON document and its offset.
package struct JSONFault: Error, Sendable, Hashable {
    /// The kind of fault, as clients see it in the `detail` of a problem.
    package enum Reason: String, Sendable, Hashable {
        case tooLarge = "the document is too large"
        case endOfInput = "the document is incomplete"
        case unexpectedByte = "unexpected byte"
        case trailingBytes = "unexpected bytes after the end of the document"
        case tooDeep = "arrays and objects are nested too deeply"
        case duplicateName = "an object contains a name twice"
        case invalidUTF8 = "a string is not valid UTF-8"
        case controlCharacter = "a control character in a string must be escaped"
        case invalidEscape = "unknown escape sequence in a string"
        case loneSurrogate = "a string contains half of a surrogate pair"
        case invalidNumber = "a number is malformed"
        case numberOutOfRange = "a number is out of range"
        case numberTooLong = "a number is too long"
    }

    /// The kind of fault.
    package let reason: Reason
    /// The offset in bytes, counted from 0.
    package let offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSONFault: CustomStringConvertible {
    /// One sentence for the `detail` of a problem. It contains no part of the document.
    package var description: String {
        "At byte \(offset): \(reason.rawValue)."
    }
}

/// The limits of the JSON parser.
package struct JSONLimits: Sendable, Hashable {
    /// The maximum length of a document in bytes.
    package var bytes: Int
    /// The maximum nesting depth of arrays and objects.
    package var depth: Int
    /// The maximum length of a number in bytes.
    package var numberLength: Int

    package init(bytes: Int = 64 * 1024, depth: Int = 32, numberLength: Int = 400) {
        self.bytes = bytes
        self.depth = depth
        self.numberLength = numberLength
    }

    /// The limits for the body of a request: 64 KiB, 32 levels.
    package static let request = JSONLimits()

    /// The limits for events and replies, which Warren's own services send: 4 MiB, 32 levels.
    package static let trusted = JSONLimits(bytes: 4 * 1024 * 1024)
}
