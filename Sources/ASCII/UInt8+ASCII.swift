extension UInt8 {
    /// Whether the byte is an ASCII letter.
    @inlinable
    package var isASCIILetter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: false
        }
    }

    /// Whether the byte is an ASCII digit.
    @inlinable
    package var isASCIIDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }

    /// Whether the byte is an ASCII letter or digit.
    @inlinable
    package var isASCIILetterOrDigit: Bool {
        isASCIILetter || isASCIIDigit
    }

    /// Whether the byte is a space or a tab.
    @inlinable
    package var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    /// Whether the byte is an ASCII digit or a letter from `a` to `f`.
    @inlinable
    package var isLowercaseHexadecimal: Bool {
        isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }

    /// Whether the byte may occur in a token of HTTP (RFC 9110, section 5.6.2).
    package var isToken: Bool {
        isASCIILetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains(self)
    }

    /// The byte; an ASCII letter is in lower case.
    @inlinable
    package var lowercasedASCII: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }

    /// The value of an ASCII hexadecimal digit of either case; `nil` for any other byte.
    @inlinable
    package var hexadecimalDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The lower-case ASCII hexadecimal digit of a value below 16.
    @inlinable
    package var hexadecimal: UInt8 {
        self < 10 ? UInt8(ascii: "0") + self : UInt8(ascii: "a") + self - 10
    }
}

extension Sequence<UInt8> {
    /// The bytes as text, with ASCII letters in lower case.
    package var lowercasedASCII: String {
        String(decoding: map(\.lowercasedASCII), as: UTF8.self)
    }

    /// Two lower-case hexadecimal digits for each byte.
    package var hexadecimal: String {
        String(decoding: flatMap { [($0 >> 4).hexadecimal, ($0 & 0xF).hexadecimal] }, as: UTF8.self)
    }
}

extension BidirectionalCollection<UInt8> {
    /// The bytes without leading and trailing blanks.
    package var trimmingBlanks: SubSequence {
        let start = drop(while: \.isBlank)
        guard let last = start.lastIndex(where: { !$0.isBlank }) else { return self[endIndex...] }
        return self[start.startIndex...last]
    }
}
