/// One word of a command: text, bytes or a number. String and integer literals are arguments too.
package enum RedisArgument: Hashable, Sendable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    /// Text, sent as UTF-8.
    case string(String)
    /// Bytes, sent as they are.
    case bytes([UInt8])
    /// A number, sent in decimal.
    case integer(Int)

    /// Text as an argument.
    package init(_ string: String) {
        self = .string(string)
    }

    /// Bytes as an argument.
    package init(_ bytes: [UInt8]) {
        self = .bytes(bytes)
    }

    /// A number as an argument.
    package init(_ number: Int) {
        self = .integer(number)
    }

    /// A literal, interpolated or not, as an argument.
    package init(stringLiteral value: String) {
        self = .string(value)
    }

    /// A literal number as an argument.
    package init(integerLiteral value: Int) {
        self = .integer(value)
    }
}
