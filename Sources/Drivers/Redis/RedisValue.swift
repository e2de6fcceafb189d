/// A reply, or an element of an array in a reply (RESP2, see the Redis protocol specification).
package enum RedisValue: Hashable, Sendable {
    /// A null string or a null array.
    case null
    /// A 64-bit integer.
    case integer(Int)
    /// A bulk string, which may hold any bytes.
    case bytes([UInt8])
    /// A simple string, such as `OK`.
    case status(String)
    /// An error inside an array. An error that is the whole reply is thrown instead.
    case error(String)
    /// An array of replies.
    case array([RedisValue])

    /// The integer, or `nil` if the value is not an integer.
    package var integer: Int? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// The bytes, or `nil` if the value is not a bulk string.
    package var bytes: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }

    /// The text of a simple string or of a bulk string that is valid UTF-8, otherwise `nil`.
    package var string: String? {
        switch self {
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .status(let text): text
        case .null, .integer, .error, .array: nil
        }
    }

    /// The elements, or `nil` if the value is not an array.
    package var array: [RedisValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}
