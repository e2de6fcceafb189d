extension OutputBuffer {
    /// Appends a text with a length of one byte.
    ///
    /// - Returns: false where it is longer than the 255 bytes that can say.
    mutating func appendShort(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { utf8 in
            guard let length = UInt8(exactly: utf8.count) else { return false }
            append(length)
            append(UnsafeRawBufferPointer(utf8))
            return true
        }
    }

    /// Appends a text with a length of four bytes.
    mutating func appendLong(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            append(UInt32(truncatingIfNeeded: utf8.count))
            append(UnsafeRawBufferPointer(utf8))
        }
    }

    /// Appends a table; false where a name is too long or the nesting too deep.
    mutating func append(_ table: Headers, depth: Int = 0) -> Bool {
        guard depth < FieldValue.maximumDepth else { return false }
        let length = appendLength()
        for entry in table.entries {
            guard appendShort(entry.name), append(entry.value, depth: depth + 1) else { return false }
        }
        fillLength(at: length)
        return true
    }

    /// Appends a value behind the letter of its type.
    private mutating func append(_ value: FieldValue, depth: Int) -> Bool {
        guard depth <= FieldValue.maximumDepth else { return false }
        switch value {
        case .string(let text):
            append(UInt8(ascii: "S"))
            appendLong(text)
        case .bytes(let bytes):
            append(UInt8(ascii: "x"))
            append(UInt32(truncatingIfNeeded: bytes.count))
            bytes.withUnsafeBytes { append($0) }
        case .int64(let number):
            append(UInt8(ascii: "l"))
            append(number)
        case .bool(let isTrue):
            append(UInt8(ascii: "t"))
            append(UInt8(isTrue ? 1 : 0))
        case .double(let number):
            append(UInt8(ascii: "d"))
            append(number.bitPattern)
        case .decimal(let scale, let number):
            append(UInt8(ascii: "D"))
            append(scale)
            append(number)
        case .timestamp(let seconds):
            append(UInt8(ascii: "T"))
            append(seconds)
        case .table(let table):
            append(UInt8(ascii: "F"))
            return append(table, depth: depth)
        case .array(let values):
            append(UInt8(ascii: "A"))
            let length = appendLength()
            for value in values where !append(value, depth: depth + 1) { return false }
            fillLength(at: length)
        case .void:
            append(UInt8(ascii: "V"))
        }
        return true
    }
}
