/// A word of a command: text, bytes or a number. String and integer literals can be used as arguments.
package enum RedisArgument: Hashable, Sendable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    /// A text, which is sent as UTF-8.
    case string(String)
    /// Bytes, which are sent unchanged.
    case bytes([UInt8])
    /// A number, which is sent in decimal.
    case integer(Int)

    /// Makes an argument from a text.
    package init(_ string: String) {
        self = .string(string)
    }

    /// Makes an argument from bytes.
    package init(_ bytes: [UInt8]) {
        self = .bytes(bytes)
    }

    /// Makes an argument from a number.
    package init(_ number: Int) {
        self = .integer(number)
    }

    /// Makes an argument from a string literal, which may be interpolated.
    package init(stringLiteral value: String) {
        self = .string(value)
    }

    /// Makes an argument from an integer literal.
    package init(integerLiteral value: Int) {
        self = .integer(value)
    }
}
