/// The text of a field whose value is a list, where what is in a quoted string separates nothing (RFC 9110, section 5.6).
enum FieldText {
    /// Splits a text at a separator, and trims the parts; empty parts stay.
    ///
    /// - Returns: nothing where a quoted string has no end.
    static func split(_ text: Substring, at separator: UInt8) -> [Substring]? {
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        var isEscaped = false
        // Bytes, not characters: a quote that a combining mark follows is a quote to everyone else.
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if !isQuoted, byte == separator {
                parts.append(trimmed(text[start..<index]))
                start = text.utf8.index(after: index)
            }
        }
        guard !isQuoted else { return nil }
        return parts + [trimmed(text[start...])]
    }

    /// A name in lower case and what follows its equals sign, a quoted string without its quotes; no value is an empty
    /// one.
    static func pair(_ text: Substring) -> (name: String, value: String) {
        let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) ?? text.endIndex
        let value = text[equals...].utf8.dropFirst()
        return (trimmed(text[..<equals]).lowercased(), unquoted(trimmed(Substring(value))))
    }

    /// A text without the white space around it.
    static func trimmed(_ text: Substring) -> Substring {
        let bytes = text.utf8
        let start = bytes.firstIndex { !isSpace($0) } ?? text.endIndex
        let end = bytes.lastIndex { !isSpace($0) }.map { bytes.index(after: $0) } ?? start
        return text[start..<end]
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func unquoted(_ text: Substring) -> String {
        let bytes = text.utf8
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") else {
            return String(text)
        }
        var value: [UInt8] = []
        var isEscaped = false
        for byte in bytes.dropFirst().dropLast() {
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            if !isEscaped { value.append(byte) }
        }
        return String(decoding: value, as: UTF8.self)
    }
}
