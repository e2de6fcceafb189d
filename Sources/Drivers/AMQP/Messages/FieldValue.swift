/// A value in a table of headers or queue arguments (RabbitMQ's list of AMQP 0-9-1 field types).
package enum FieldValue: Sendable, Equatable {
    /// Text.
    case string(String)
    /// Bytes. A received text that is not valid UTF-8 becomes bytes.
    case bytes([UInt8])
    /// An integer of any width. A received integer above `Int64.max` becomes `Int64.max`.
    case int64(Int64)
    /// A Boolean.
    case bool(Bool)
    /// A floating-point number of 32 or 64 bits.
    case double(Double)
    /// A decimal number: `value` divided by 10 to the power of `scale`.
    case decimal(scale: UInt8, value: UInt32)
    /// A time, in seconds since 1970.
    case timestamp(UInt64)
    /// A nested table.
    case table(Headers)
    /// An array.
    case array([FieldValue])
    /// No value. A received table or array that is nested deeper than ``maximumDepth`` becomes `void`.
    case void

    /// The maximum depth of nested tables and arrays.
    package static let maximumDepth = 32

    /// The text, or `nil` if the value is not a text.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The integer, or `nil` if the value is not an integer.
    package var int64: Int64? {
        if case .int64(let value) = self { value } else { nil }
    }

    /// The array, or `nil` if the value is not an array.
    package var array: [FieldValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The table, or `nil` if the value is not a table.
    package var table: Headers? {
        if case .table(let value) = self { value } else { nil }
    }
}

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int64(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
