extension OutputBuffer {
    /// Appends a short string: a length field of one byte, then the text.
    ///
    /// - Returns: `false` if the text is longer than 255 bytes.
    mutating func appendShort(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { utf8 in
            guard let length = UInt8(exactly: utf8.count) else { return false }
            append(length)
            append(UnsafeRawBufferPointer(utf8))
            return true
        }
    }

    /// Appends a long string: a length field of four bytes, then the text.
    mutating func appendLong(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            append(UInt32(truncatingIfNeeded: utf8.count))
            append(UnsafeRawBufferPointer(utf8))
        }
    }

    /// Appends a table.
    ///
    /// - Returns: `false` if a name is longer than 255 bytes or the nesting exceeds ``FieldValue/maximumDepth``.
    mutating func append(_ table: Headers, depth: Int = 0) -> Bool {
        guard depth < FieldValue.maximumDepth else { return false }
        let start = appendLength()
        for entry in table.entries {
            guard appendShort(entry.name), append(entry.value, depth: depth + 1) else { return false }
        }
        fillLength(at: start)
        return true
    }

    /// Appends a value: the letter of its type, then its content.
    ///
    /// - Returns: `false` in the same cases as ``append(_:depth:)`` for a table.
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
            let start = appendLength()
            for value in values where !append(value, depth: depth + 1) { return false }
            fillLength(at: start)
        case .void:
            append(UInt8(ascii: "V"))
        }
        return true
    }
}
