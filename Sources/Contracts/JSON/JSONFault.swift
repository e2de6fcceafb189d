/// Why bytes are not the JSON that Warren takes, and at which byte that shows.
package struct JSONFault: Error, Sendable, Hashable {
    /// What is wrong, in words that a client may read.
    package enum Reason: String, Sendable, Hashable {
        case tooLarge = "the document is too large"
        case endOfInput = "the document ends too early"
        case unexpectedByte = "this byte cannot stand here"
        case trailingBytes = "something follows the document"
        case tooDeep = "arrays and objects are nested too deeply"
        case duplicateName = "an object has a name twice"
        case invalidUTF8 = "text is not valid UTF-8"
        case controlCharacter = "a control character in a string must be escaped"
        case invalidEscape = "an escape is not one of JSON's"
        case loneSurrogate = "half of a surrogate pair stands alone"
        case invalidNumber = "a number is malformed"
        case numberOutOfRange = "a number is too large"
    }

    /// The first thing that is wrong.
    package let reason: Reason
    /// Counted in bytes from the start, from 0.
    package let offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSONFault: CustomStringConvertible {
    /// One sentence for the `detail` of a problem; nothing of the document is in it.
    package var description: String {
        "At byte \(offset): \(reason.rawValue)."
    }
}

/// How much JSON is taken.
package struct JSONLimits: Sendable, Hashable {
    /// The longest document, in bytes.
    package var bytes: Int
    /// How many arrays and objects may be open at once.
    package var depth: Int
    /// The longest number, in bytes.
    package var numberLength: Int

    package init(bytes: Int = 64 * 1024, depth: Int = 32, numberLength: Int = 400) {
        self.bytes = bytes
        self.depth = depth
        self.numberLength = numberLength
    }

    /// For the body of a request: 64 KiB, 32 levels.
    package static let request = JSONLimits()

    /// For what Warren's own services send: events and replies, up to 4 MiB.
    package static let trusted = JSONLimits(bytes: 4 * 1024 * 1024)
}
