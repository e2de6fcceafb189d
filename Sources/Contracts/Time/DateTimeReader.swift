internal import ASCII

/// Reads the parts of an RFC 3339 date-time from left to right.
struct DateTimeReader {
    /// The maximum length of a text in bytes. A longer text is treated as empty.
    static let limit = 64

    private let bytes: [UInt8]
    private var position = 0

    init(text: String) {
        bytes = text.utf8.count <= Self.limit ? Array(text.utf8) : []
    }

    var isAtEnd: Bool { position == bytes.count }

    /// Reads a number with exactly this many digits; returns `nil` if there are fewer.
    mutating func number(_ digits: Int) -> Int64? {
        guard position + digits <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[position..<position + digits] {
            guard byte.isASCIIDigit else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        position += digits
        return value
    }

    /// Moves past the next character if it is one of these, and returns whether it is.
    mutating func skip(_ characters: StaticString) -> Bool {
        guard position < bytes.count else { return false }
        for index in 0..<characters.utf8CodeUnitCount where characters.utf8Start[index] == bytes[position] {
            position += 1
            return true
        }
        return false
    }

    /// Reads an optional fraction of a second; returns `nil` for a point without digits.
    mutating func milliseconds() -> Int64? {
        guard skip(".") else { return 0 }
        var value: Int64 = 0
        var digits = 0
        while let digit = number(1) {
            if digits < 3 { value = value * 10 + digit }
            digits += 1
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 3)..<3 { value *= 10 }
        return value
    }

    /// Reads the offset from UTC; returns `nil` if it is malformed.
    mutating func offsetMinutes() -> Int64? {
        if skip("Zz") { return 0 }
        let isAhead = skip("+")
        guard isAhead || skip("-"), let hours = number(2), skip(":"), let minutes = number(2), hours < 24,
            minutes < 60
        else { return nil }
        return (isAhead ? 1 : -1) * (hours * 60 + minutes)
    }
}
