/// A value in a table of headers or of queue arguments (RabbitMQ's list of AMQP 0-9-1 field types).
package enum FieldValue: Sendable, Equatable {
    /// Text.
    case string(String)
    /// Bytes; also what a client sent as text that is not UTF-8.
    case bytes([UInt8])
    /// A whole number of any width; one above `Int64.max` is cut to it.
    case int64(Int64)
    /// A truth value.
    case bool(Bool)
    /// A floating-point number of either width.
    case double(Double)
    /// A decimal number: `value` divided by ten to the power of `scale`.
    case decimal(scale: UInt8, value: UInt32)
    /// Seconds since the epoch.
    case timestamp(UInt64)
    /// A nested table.
    case table(Headers)
    /// A list.
    case array([FieldValue])
    /// Nothing; also what is nested deeper than ``maximumDepth``.
    case void

    /// How deep tables and arrays may nest before what lies deeper is dropped.
    package static let maximumDepth = 32

    /// The text, where it is text.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The whole number, where it is one.
    package var int64: Int64? {
        if case .int64(let value) = self { value } else { nil }
    }

    /// The list, where it is one.
    package var array: [FieldValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The table, where it is one.
    package var table: Headers? {
        if case .table(let value) = self { value } else { nil }
    }
}

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int64(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
