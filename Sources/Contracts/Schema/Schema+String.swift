extension Schema where Value == String {
    /// A string whose length, in Unicode code points, is in a range. The string must not contain U+0000, because
    /// PostgreSQL cannot store it.
    package static func string(_ length: ClosedRange<Int>) -> Schema {
        Schema(
            shape: .string(
                StringShape(
                    minimumLength: length.lowerBound, maximumLength: length.upperBound,
                    patterns: [StringShape.withoutNUL])),
            read: { json, faults in
                guard let text = Self.text(json, &faults) else { return nil }
                // A code point takes one to four bytes in UTF-8. The number of bytes therefore often shows that the
                // length is in the range, and the code points need not be counted.
                let bytes = text.utf8.count
                if bytes <= length.upperBound, bytes >= length.lowerBound * 4 { return text }
                let count = text.unicodeScalars.count
                if length.contains(count) { return text }
                faults.add(Self.lengthMessage(length))
                return nil
            }, write: { $1.string($0) })
    }

    /// A string of any length without U+0000.
    package static var string: Schema {
        Schema(
            shape: .string(StringShape(patterns: [StringShape.withoutNUL])), read: { Self.text($0, &$1) },
            write: { $1.string($0) })
    }

    /// Requires at least one character that is neither white space nor invisible.
    package var notBlank: Schema {
        withCondition(shape.changingString { $0.patterns.append(StringShape.notBlank) }, "must not be blank") { text in
            !text.isBlank
        }
    }

    /// Adds a condition that is also documented as a regular expression.
    ///
    /// - Parameters:
    ///   - pattern: a regular expression that matches the whole string if the condition holds. It is documented but not
    ///     evaluated. It must not match U+0000, because it replaces the pattern that excludes U+0000.
    ///   - message: the message of the fault: "must …".
    ///   - holds: returns whether the condition holds.
    package func matching(
        _ pattern: String, _ message: String, _ holds: @escaping @Sendable (String) -> Bool
    ) -> Schema {
        let whole = StringShape.whole(pattern)
        return withCondition(
            shape.changingString { $0.patterns = $0.patterns.filter { $0 != StringShape.withoutNUL } + [whole] },
            message, holds)
    }

    /// Documents a regular expression that holds because of another condition.
    func documented(pattern: String) -> Schema {
        Schema(shape: shape.changingString { $0.patterns.append(pattern) }, read: read, write: write)
    }

    /// Documents the string as having a format of JSON Schema. The format is not checked.
    package func format(_ format: String) -> Schema {
        Schema(shape: shape.changingString { $0.format = format }, read: read, write: write)
    }

    private static func text(_ json: JSON, _ faults: inout FaultCollector) -> String? {
        guard case .string(let text) = json else {
            faults.add("must be a string")
            return nil
        }
        guard !text.containsNUL else {
            faults.add("must not contain U+0000")
            return nil
        }
        return text
    }

    private static func lengthMessage(_ length: ClosedRange<Int>) -> String {
        if length.lowerBound == length.upperBound { return "must have \(length.lowerBound) characters" }
        if length.lowerBound == 0 { return "must have at most \(length.upperBound) characters" }
        return "must have \(length.lowerBound) to \(length.upperBound) characters"
    }
}

extension String {
    /// Whether the string has no visible character.
    var isBlank: Bool { unicodeScalars.allSatisfy(\.isBlank) }

    /// Whether the string contains U+0000. Eight bytes are searched at a time.
    fileprivate var containsNUL: Bool {
        let found = utf8.withContiguousStorageIfAvailable { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            var position = 0
            while position + 8 <= raw.count {
                let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
                position += 8
            }
            return raw[position...].contains(0)
        }
        return found ?? utf8.contains(0)
    }
}

extension Unicode.Scalar {
    /// Whether nothing is shown for the code point: white space, and code points that Unicode calls default ignorable,
    /// such as the zero width space. ``StringShape/notBlank`` excludes those of them that are below U+10000.
    fileprivate var isBlank: Bool {
        switch value {
        case 0x09...0x0D, 0x20, 0x85, 0xA0, 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x1680, 0x17B4, 0x17B5, 0x180B...0x180F,
            0x2000...0x200F, 0x2028...0x202F, 0x205F...0x206F, 0x2800, 0x3000, 0x3164, 0xFE00...0xFE0F, 0xFEFF,
            0xFFA0, 0xFFF0...0xFFF8, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A, 0xE0000...0xE0FFF:
            true
        default: false
        }
    }
}

extension Schema where Value: RawRepresentable, Value.RawValue == String, Value: CaseIterable {
    /// One of the raw values of an enumeration.
    package static func oneOf(_ type: Value.Type = Value.self) -> Schema {
        let values = Value.allCases.map(\.rawValue)
        return Schema(
            shape: .string(StringShape(values: values)),
            read: { json, faults in
                if case .string(let text) = json, let value = Value(rawValue: text) { return value }
                faults.add("must be one of " + values.joined(separator: ", "))
                return nil
            }, write: { $1.string($0.rawValue) })
    }
}
