extension Tokenizer.Word {
    /// A word with more parts is not divided.
    private static let partLimit = 4

    /// The parts of a word that has letters and digits, such as `covid` and `19`; empty for other words.
    var lettersAndDigits: [[UInt8]] {
        guard kind == .word, hasLetter, hasDigit else { return [] }
        return Self.limited(bytes.split(where: { Self.isDigit($0) != Self.isDigit($1) }))
    }

    /// The parts of a hashtag that begin with a capital letter or a digit, such as `swift` and `lang` of `#SwiftLang`;
    /// empty if there is only one, and for other words.
    ///
    /// - Parameter text: the text of the word, as it was typed.
    func tagParts(in text: String) -> [[UInt8]] {
        guard kind == .word, isTag else { return [] }
        let scalars = Array(
            String(decoding: text.utf8.dropFirst(range.lowerBound).prefix(range.count), as: UTF8.self).unicodeScalars)
        var parts: [[UInt8]] = []
        for index in scalars.indices {
            let isCapital = scalars[index].properties.isUppercase
            let followsSmall = index > 0 && !scalars[index - 1].properties.isUppercase
            let precedesSmall = index + 1 < scalars.count && scalars[index + 1].properties.isLowercase
            let isNew = index == 0 || isCapital && (followsSmall || precedesSmall)
            if isNew { parts.append([]) }
            parts[parts.count - 1] += scalars[index].properties.lowercaseMapping.utf8
        }
        return Self.limited(parts.flatMap { $0.split { Self.isDigit($0) != Self.isDigit($1) } })
    }

    /// The pictures of which a symbol is made, such as a woman and a computer; at first the whole symbol.
    var symbols: [[UInt8]] {
        let parts = text.unicodeScalars.split(separator: "\u{200D}").map { Array(String($0).utf8) }
        return parts.count > 1 ? [bytes] + parts : [bytes]
    }

    /// Whether the index has this character of a script without spaces as it is. Others are normalized, because they
    /// can be written with different code points.
    var isNormalized: Bool {
        guard length == 1, let scalar = text.unicodeScalars.first else { return false }
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
