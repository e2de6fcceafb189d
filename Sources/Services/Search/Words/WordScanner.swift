/// Cuts texts into words: posts, what is searched for, and what is shown of a hit, all in the same way.
enum WordScanner {
    /// A word of a text.
    struct Word {
        /// Its UTF-8, in lower case.
        let bytes: [UInt8]
        /// Where it stands in the UTF-8 of the text.
        let place: Range<Int>
        /// Whether it may be worth knowing when someone mistypes it: 3 to 40 characters, at least one of them a letter.
        let isWorthKnowing: Bool

        /// Its text, in lower case.
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// How many characters a word that is worth knowing has.
    static let lengths = 3...40

    /// Calls a function with each word, in the order of the text.
    ///
    /// A word is letters, marks and digits with nothing between them.
    static func forEachWord(in text: String, _ body: (Word) -> Void) {
        var bytes: [UInt8] = []
        var position = 0
        var start = 0
        var length = 0
        var hasLetter = false
        func end() {
            body(
                Word(
                    bytes: bytes, place: start..<position,
                    isWorthKnowing: hasLetter && lengths.contains(length)))
            bytes.removeAll(keepingCapacity: true)
            (length, hasLetter) = (0, false)
        }
        for scalar in text.unicodeScalars {
            if let kind = kind(of: scalar) {
                if length == 0 { start = position }
                length += 1
                if kind == .letter { hasLetter = true }
                append(scalar, to: &bytes)
            } else if length > 0 {
                end()
            }
            position += UTF8.width(scalar)
        }
        if length > 0 { end() }
    }

    /// The words of a text, in their order.
    static func words(of text: String) -> [Word] {
        var words: [Word] = []
        forEachWord(in: text) { words.append($0) }
        return words
    }

    /// What a character is within a word.
    enum Kind {
        case letter
        /// A digit or a mark.
        case other
    }

    /// What a character is within a word; nothing for one that no word has.
    static func kind(of scalar: Unicode.Scalar) -> Kind? {
        switch scalar.value {
        case 0x61...0x7A, 0x41...0x5A: return .letter
        case 0x30...0x39: return .other
        case ..<0x80: return nil
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
        case .nonspacingMark, .spacingMark, .decimalNumber, .letterNumber, .otherNumber: return .other
        default: return nil
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to word: inout [UInt8]) {
        switch scalar.value {
        case 0x41...0x5A: word.append(UInt8(scalar.value) | 0x20)
        case ..<0x80: word.append(UInt8(scalar.value))
        default: word.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
        }
    }
}

extension WordScanner.Word {
    /// What a word is remembered by in this process: FNV-1a. That of two words of one hash one is taken for the other is
    /// less likely than any other fault.
    var hash: UInt64 { Self.hash(bytes) }

    static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }
}
