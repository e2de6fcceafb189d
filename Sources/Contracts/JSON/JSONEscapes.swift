internal import ASCII

extension String {
    /// Appends the string in quotes, with the escapes that RFC 8259 requires and no others.
    func appendQuoted(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if utf8.withContiguousStorageIfAvailable({ $0.appendEscaped(to: &bytes) }) == nil {
            Array(utf8).withUnsafeBufferPointer { $0.appendEscaped(to: &bytes) }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func appendEscaped(to bytes: inout [UInt8]) {
        var start = 0
        var position = 0
        while true {
            position = nextEscape(from: position)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: self[start..<position]))
            guard position < count else { return }
            self[position].appendEscape(to: &bytes)
            position += 1
            start = position
        }
    }

    /// Returns the offset of the next byte that must be escaped; the end of the buffer if there is none.
    private func nextEscape(from start: Int) -> Int {
        let raw = UnsafeRawBufferPointer(self)
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var position = start
        while position + 8 <= count {
            let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let (quote, backslash) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
            // A high bit is set if the word contains a control character, a quote or a backslash.
            let special =
                ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
            if special & highs != 0 { break }
            position += 8
        }
        while position < count {
            let byte = self[position]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            position += 1
        }
        return position
    }
}

extension UInt8 {
    /// Appends the escape of a quote, a backslash or a control character.
    fileprivate func appendEscape(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch self {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0..<0x20:
            for byte in "u00".utf8 { bytes.append(byte) }
            bytes.append((self >> 4).hexadecimal)
            bytes.append((self & 0xF).hexadecimal)
        default: bytes.append(self)
        }
    }
}
