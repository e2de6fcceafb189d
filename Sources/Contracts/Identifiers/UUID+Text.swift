internal import ASCII
package import FoundationEssentials

extension UUID {
    /// The text form in lower case, 36 characters (RFC 9562, section 4).
    package var text: String {
        asciiText.span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// Parses the text form: 8-4-4-4-12 hexadecimal digits of either case. Returns `nil` for any other text.
    package init?(text: String) {
        let found: UUID? =
            text.utf8.withContiguousStorageIfAvailable { UUID(ascii: $0) }
            ?? Array(text.utf8).withUnsafeBufferPointer { UUID(ascii: $0) }
        guard let found else { return nil }
        self = found
    }

    /// Parses the text form as 36 ASCII bytes. Returns `nil` for any other bytes.
    package init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 36 else { return nil }
        var octets = InlineArray<16, UInt8>(repeating: 0)
        var position = 0
        for index in 0..<16 {
            if Self.hyphenPrecedes(index) {
                guard bytes[position] == UInt8(ascii: "-") else { return nil }
                position += 1
            }
            guard let high = bytes[position].hexadecimalDigit, let low = bytes[position + 1].hexadecimalDigit
            else { return nil }
            octets[index] = high << 4 | low
            position += 2
        }
        self.init(octets: octets)
    }

    /// The text form as 36 ASCII bytes.
    var asciiText: InlineArray<36, UInt8> {
        let octets = octets
        var text = InlineArray<36, UInt8>(repeating: UInt8(ascii: "-"))
        var position = 0
        for index in 0..<16 {
            if Self.hyphenPrecedes(index) { position += 1 }
            text[position] = (octets[index] >> 4).hexadecimal
            text[position + 1] = (octets[index] & 0xF).hexadecimal
            position += 2
        }
        return text
    }

    private static func hyphenPrecedes(_ index: Int) -> Bool {
        index == 4 || index == 6 || index == 8 || index == 10
    }
}

extension UUID {
    /// The sixteen octets in the order of RFC 9562.
    package var octets: InlineArray<16, UInt8> {
        let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = uuid
        return [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    package init(octets o: InlineArray<16, UInt8>) {
        self.init(
            uuid: (
                o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7],
                o[8], o[9], o[10], o[11], o[12], o[13], o[14], o[15]
            ))
    }

    /// The version field (RFC 9562, section 4.2).
    package var version: Int {
        Int(uuid.6 >> 4)
    }
}

extension JSONWriter {
    /// Writes an identifier as a lower-case string.
    package mutating func uuid(_ value: UUID) {
        let text = value.asciiText
        plainString(text.span)
    }
}
