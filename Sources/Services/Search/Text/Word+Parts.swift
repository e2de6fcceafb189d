extension Tokenizer.Word {
    /// A word with more parts is not divided.
    private static let partLimit = 8

    /// The parts of a word that has letters and digits, such as `covid` and `19`; empty for other words.
    var lettersAndDigits: [[UInt8]] {
        guard kind == .word, hasLetter, hasDigit else { return [] }
        return Self.limited(bytes.split { Self.isDigit($0) != Self.isDigit($1) })
    }

    /// The parts of a hashtag that begin with a capital letter or a digit, such as `swift` and `lang` of `#SwiftLang`;
    /// empty if there is only one, and for other words.
    ///
    /// - Parameter text: the text of the word, as it was typed.
    func tagParts(in text: String) -> [[UInt8]] {
        guard kind == .word, isTag else { return [] }
        let typed = text.utf8.dropFirst(range.lowerBound).prefix(range.count)
        var scalars: [Unicode.Scalar] = []
        for scalar in String(decoding: typed, as: UTF8.self).unicodeScalars {
            if scalar.value >= 0xA0, let plain = PlainForm.of(scalar) {
                scalars += plain.filter { Self.isPartOfTag(CharacterKind($0)) }
            } else if Self.isPartOfTag(CharacterKind(scalar)) {
                scalars.append(scalar)
            }
        }
        var parts: [[UInt8]] = []
        for (index, scalar) in scalars.enumerated() {
            let isCapital = scalar.properties.isUppercase
            let followsSmall = index > 0 && !scalars[index - 1].properties.isUppercase
            let precedesSmall = index + 1 < scalars.count && scalars[index + 1].properties.isLowercase
            if index == 0 || isCapital && (followsSmall || precedesSmall) { parts.append([]) }
            parts[parts.count - 1] += scalar.properties.lowercaseMapping.utf8
        }
        return Self.limited(parts.flatMap { $0.split { Self.isDigit($0) != Self.isDigit($1) } })
    }

    private static func isPartOfTag(_ kind: CharacterKind) -> Bool {
        kind == .letter || kind == .digit || kind == .mark
    }

    /// The whole symbol, and then each symbol that it joins, such as a woman and a computer.
    var symbols: [[UInt8]] {
        let parts = text.unicodeScalars.split(separator: "\u{200D}").map { Array(String($0).utf8) }
        return parts.count > 1 ? [bytes] + parts : [bytes]
    }

    /// Whether the index stores a character of a script without spaces unchanged. Others are folded, because they can
    /// be written with different code points.
    var isStoredUnchanged: Bool {
        guard length == 1, let scalar = text.unicodeScalars.first else { return false }
        switch scalar.value {
        // Thai, kana, Chinese and Korean characters. A look-up of their properties would take longer.
        case 0xE01...0xE32, 0x3041...0x3096, 0x30A1...0x30FA, 0x4E00...0x9FFF, 0xAC00...0xD7A3: return true
        default: break
        }
        let isKoreanLetter = (0x1100...0x11FF).contains(scalar.value) || (0xA960...0xA97F).contains(scalar.value)
        return !isKoreanLetter && !scalar.properties.changesWhenNFKCCaseFolded
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func limited(_ parts: [[UInt8]]) -> [[UInt8]] {
        (2...partLimit).contains(parts.count) ? parts : []
    }
}

extension [UInt8] {
    /// Returns the parts between the places at which `isBoundary` returns `true` for two neighbouring bytes.
    fileprivate func split(where isBoundary: (UInt8, UInt8) -> Bool) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        for index in indices {
            if index == 0 || isBoundary(self[index - 1], self[index]) { parts.append([]) }
            parts[parts.count - 1].append(self[index])
        }
        return parts
    }
}
