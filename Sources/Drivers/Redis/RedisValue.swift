/// A reply, or a part of one (RESP2, as the Redis protocol specification has it).
package enum RedisValue: Hashable, Sendable {
    /// A null string or a null array.
    case null
    /// A 64-bit integer.
    case integer(Int)
    /// A string of any bytes.
    case bytes([UInt8])
    /// A simple string, as `OK`.
    case status(String)
    /// An error inside an array; an error that is the whole reply is thrown instead.
    case error(String)
    /// An array of replies.
    case array([RedisValue])

    /// Whether this is null.
    package var isNull: Bool { self == .null }

    /// The number, where this is an integer.
    package var integer: Int? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// The bytes, where this is a string.
    package var bytes: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }

    /// The text, where this is a status or a string of valid UTF-8.
    package var string: String? {
        switch self {
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .status(let text): text
        case .null, .integer, .error, .array: nil
        }
    }

    /// The elements, where this is an array.
    package var array: [RedisValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}
