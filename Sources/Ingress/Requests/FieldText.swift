internal import ASCII

/// Parses fields that contain lists. A separator inside a quoted string does not separate elements (RFC 9110,
/// section 5.6).
enum FieldText {
    /// Splits a text at a separator and trims blanks from the parts. Empty parts are kept.
    ///
    /// - Returns: the parts; `nil` if a quoted string is not closed.
    static func split(_ text: Substring, at separator: UInt8) -> [Substring]? {
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        var isEscaped = false
        // Bytes are compared, because Swift combines a quote and a following combining mark into one Character, but
        // HTTP still sees a quote.
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

    /// Splits `name=value`. Returns the name in lower case, and the value without quotes and escapes. If there is no
    /// equals sign, the value is empty.
    static func pair(_ text: Substring) -> (name: String, value: String) {
        let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) ?? text.endIndex
        let value = text[equals...].utf8.dropFirst()
        return (trimmed(text[..<equals]).lowercased(), unquoted(Substring(value.trimmingBlanks)))
    }

    private static func trimmed(_ text: Substring) -> Substring { Substring(text.utf8.trimmingBlanks) }

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
