/// Splits text into words. Posts, searches and highlights all use it, so that their words agree.
enum Tokenizer {
    /// A word of a text: a maximal run of letters, marks and digits.
    struct Word {
        /// The word in lower case, in UTF-8.
        let bytes: [UInt8]
        /// The word's range in the UTF-8 of the text.
        let range: Range<Int>
        /// Whether the word can be in the vocabulary: it has 3 to 40 characters, at least one of which is a letter.
        let isVocabularyWord: Bool

        /// The word in lower case.
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// The lengths of words in the vocabulary, in characters.
    private static let vocabularyLengths = 3...40

    /// Calls a function with each word of a text, in order.
    static func forEachWord(in text: String, _ body: (Word) -> Void) {
        var bytes: [UInt8] = []
        var position = 0
        var start = 0
        var length = 0
        var hasLetter = false
        func endWord() {
            body(
                Word(
                    bytes: bytes, range: start..<position,
                    isVocabularyWord: hasLetter && vocabularyLengths.contains(length)))
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
                endWord()
            }
            position += UTF8.width(scalar)
        }
        if length > 0 { endWord() }
    }

    /// Returns the words of a text, in order.
    static func words(of text: String) -> [Word] {
        var words: [Word] = []
        forEachWord(in: text) { words.append($0) }
        return words
    }

    private enum CharacterKind {
        case letter
        case digitOrMark
    }

    /// Returns a character's kind; `nil` if it separates words.
    private static func kind(of scalar: Unicode.Scalar) -> CharacterKind? {
        switch scalar.value {
        case 0x61...0x7A, 0x41...0x5A: return .letter
        case 0x30...0x39: return .digitOrMark
        case ..<0x80: return nil
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
        case .nonspacingMark, .spacingMark, .decimalNumber, .letterNumber, .otherNumber: return .digitOrMark
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
