extension JSONLogHandler {
    /// Escapes the control characters that JSON allows in strings, because a terminal or a log viewer would interpret
    /// them: DEL, the C1 controls, line and paragraph separators, and changes of the text's direction (Unicode's
    /// general categories Cc, Cf, Zl and Zp).
    ///
    /// In a line of JSON these characters occur only within strings, so the escaped line has the same meaning.
    static func escaping(_ line: [UInt8]) -> [UInt8] {
        guard line.contains(where: { $0 >= 0x7F }) else { return line }
        var escaped: [UInt8] = []
        escaped.reserveCapacity(line.count + 64)
        for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x7F || !isControl(scalar) {
                escaped.append(contentsOf: scalar.utf8)
            } else {
                for unit in String(scalar).utf16 { appendEscape(unit, to: &escaped) }
            }
        }
        return escaped
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func appendEscape(_ unit: UInt16, to bytes: inout [UInt8]) {
        let digits = String(unit, radix: 16).utf8
        bytes.append(contentsOf: #"\u"#.utf8)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.count))
        bytes.append(contentsOf: digits)
    }
}
