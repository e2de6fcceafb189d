internal import ASCII

extension JSONParser {
    /// Reads the rest of a string, including the closing quote. The position is after the opening quote.
    mutating func string() throws(JSONFault) -> String {
        let start = position
        var isASCII = true
        switch try skipPlainText(&isASCII) {
        case UInt8(ascii: "\""):
            let text = try text(start..<position, isASCII: isASCII)
            position += 1
            return text
        default:
            return try escapedString(from: start)
        }
    }

    /// Moves to the next quote or backslash and returns it.
    private mutating func skipPlainText(_ isASCII: inout Bool) throws(JSONFault) -> UInt8 {
        skipPlainWords(&isASCII)
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return byte }
            if byte < 0x20 { throw fault(.controlCharacter) }
            if byte >= 0x80 { isASCII = false }
            position += 1
        }
        throw fault(.endOfInput)
    }

    /// Skips words of eight bytes that contain no quote, backslash or control character.
    private mutating func skipPlainWords(_ isASCII: inout Bool) {
        let raw = UnsafeRawBufferPointer(bytes)
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var high: UInt64 = 0
        while position + 8 <= raw.count {
            let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let (quote, backslash) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
            // A high bit is set if the word contains a control character, a quote or a backslash.
            let special =
                ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
            if special & highs != 0 { break }
            high |= word & highs
            position += 8
        }
        if high != 0 { isASCII = false }
    }

    private func text(_ range: Range<Int>, isASCII: Bool) throws(JSONFault) -> String {
        let slice = UnsafeBufferPointer(rebasing: bytes[range])
        if isASCII { return String(decoding: slice, as: UTF8.self) }
        if let text = String(validating: slice, as: UTF8.self) { return text }
        throw JSONFault(reason: .invalidUTF8, offset: range.lowerBound + Self.validPrefix(of: slice))
    }

    /// Returns the number of bytes before the first invalid UTF-8 sequence.
    private static func validPrefix(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var count = 0
        while case .valid(let scalar) = parser.parseScalar(from: &iterator) { count += scalar.count }
        return count
    }
}

extension JSONParser {
    /// Reads the rest of a string from its first backslash.
    ///
    /// - Parameter start: the offset of the first byte after the opening quote.
    private mutating func escapedString(from start: Int) throws(JSONFault) -> String {
        var unescaped = Array(bytes[start..<position])
        var isASCII = true
        while true {
            let run = position
            let stop = try skipPlainText(&isASCII)
            unescaped.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[run..<position]))
            position += 1
            if stop == UInt8(ascii: "\"") { break }
            try escape(into: &unescaped)
        }
        if let text = String(validating: unescaped, as: UTF8.self) { return text }
        let raw = UnsafeBufferPointer(rebasing: bytes[start..<position])
        throw JSONFault(reason: .invalidUTF8, offset: start + Self.validPrefix(of: raw))
    }

    /// Reads an escape sequence after its backslash.
    private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
        guard let byte = current else { throw fault(.endOfInput) }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            position += 1
            text.append(contentsOf: UTF8.encode(try scalar()) ?? UTF8.encodedReplacementCharacter)
            return
        default: throw fault(.invalidEscape)
        }
        position += 1
    }

    /// Reads the four digits of a `\u` escape and, for a surrogate pair, the second escape.
    private mutating func scalar() throws(JSONFault) -> Unicode.Scalar {
        let start = position - 2
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), current == UInt8(ascii: "\\") else {
            throw JSONFault(reason: .loneSurrogate, offset: start)
        }
        position += 1
        guard current == UInt8(ascii: "u") else { throw JSONFault(reason: .loneSurrogate, offset: start) }
        position += 1
        let second = try fourDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw JSONFault(reason: .loneSurrogate, offset: start) }
        return scalar
    }

    private mutating func fourDigits() throws(JSONFault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current else { throw fault(.endOfInput) }
            guard let digit = byte.hexadecimalDigit else { throw fault(.invalidEscape) }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
