/// A word, a part of a word, a joined word or a pair of characters for which the index has lexemes.
///
/// A word is also found by its parts: `e-mail` by `e`, `mail` and `email`, `covid19` by `covid` and `19`, and the
/// hashtag `#SwiftLang` by `swift` and `lang`. For scripts without spaces, the index stores each pair of neighbouring
/// characters. Pairs find any part of a text. A dictionary would lack new names, and could split a search differently
/// from a post.
struct IndexTerm {
    enum Form: Hashable {
        /// The stems of the word, and also the word itself if it has accents.
        case stem
        /// The folded word, with these characters before and after it.
        case folded(prefix: String = "", suffix: String = "")
        /// The bytes as they are.
        case literal
    }

    /// The number of characters of a hashtag that are stored. A run of characters that begins with `#` may be long.
    private static let longestTag = 20

    /// The word in lower case.
    let bytes: [UInt8]
    /// The position in the text, from 1. A symbol has the position of the word before it, so that it does not separate
    /// the words of a phrase.
    let position: Int
    let form: Form

    init(bytes: [UInt8], position: Int = 1, form: Form) {
        self.bytes = bytes
        self.position = position
        self.form = form
    }

    /// Calls a function with each term of a text.
    ///
    /// - Parameters:
    ///   - text: the text.
    ///   - words: the words of the text.
    static func forEachTerm(in text: String, _ words: [Tokenizer.Word], _ body: (IndexTerm) -> Void) {
        var position = 1
        TextUnit.forEachUnit(in: words) { unit, range in
            switch unit {
            case .word: add(words[range.lowerBound], at: position, in: text, body)
            case .compound: addCompound(words[range], at: position, in: text, body)
            case .unspaced: addUnspaced(words[range], at: position, body)
            case .symbol:
                for symbol in words[range.lowerBound].symbols {
                    body(IndexTerm(bytes: symbol, position: max(1, position - 1), form: .literal))
                }
                return
            }
            position += range.count
        }
    }

    private static func add(
        _ word: Tokenizer.Word, at position: Int, isPart: Bool = false, in text: String, _ body: (IndexTerm) -> Void
    ) {
        body(IndexTerm(bytes: word.bytes, position: position, form: .stem))
        if !word.suffix.isEmpty {
            body(IndexTerm(bytes: word.bytes, position: position, form: .folded(suffix: word.suffix)))
        }
        if let prefix = word.prefix, !isPart {
            body(IndexTerm(bytes: word.bytes, position: position, form: .folded(prefix: String(prefix))))
        }
        for part in word.isTag ? word.tagParts(in: text) : word.lettersAndDigits {
            body(IndexTerm(bytes: part, position: position, form: .stem))
        }
    }

    /// Adds the parts, and the joined word at the positions of the first and the last part, so that it is adjacent to
    /// the word before and to the word after the compound.
    private static func addCompound(
        _ words: ArraySlice<Tokenizer.Word>, at position: Int, in text: String, _ body: (IndexTerm) -> Void
    ) {
        for (offset, word) in words.enumerated() { add(word, at: position + offset, isPart: true, in: text, body) }
        let joined = joinedBytes(words)
        for offset in [0, words.count - 1] {
            body(IndexTerm(bytes: joined, position: position + offset, form: .stem))
        }
        if let prefix = words.first?.prefix {
            body(IndexTerm(bytes: joined, position: position, form: .folded(prefix: String(prefix))))
        }
        if let suffix = words.last?.suffix, !suffix.isEmpty {
            body(IndexTerm(bytes: joined, position: position, form: .folded(suffix: suffix)))
        }
    }

    /// Adds each pair of characters, and the last character alone, so that a search for one character finds it.
    private static func addUnspaced(
        _ words: ArraySlice<Tokenizer.Word>, at position: Int, _ body: (IndexTerm) -> Void
    ) {
        for index in words.indices {
            body(pair(words[index...].prefix(2), at: position + index - words.startIndex))
        }
        if let tag = tag(words, at: position) { body(tag) }
    }

    /// Returns the bytes of a compound without its connectors.
    static func joinedBytes(_ words: ArraySlice<Tokenizer.Word>) -> [UInt8] { words.flatMap(\.bytes) }

    /// Returns the term of one or two neighbouring characters.
    static func pair(_ words: ArraySlice<Tokenizer.Word>, at position: Int = 1) -> IndexTerm {
        IndexTerm(
            bytes: joinedBytes(words), position: position,
            form: words.allSatisfy(\.isStoredUnchanged) ? .literal : .folded())
    }

    /// Returns the term of a hashtag of a script without spaces; `nil` if the characters are none. Hashtags with the
    /// same first 20 characters have the same term.
    static func tag(_ words: ArraySlice<Tokenizer.Word>, at position: Int = 1) -> IndexTerm? {
        guard words.first?.isTag == true else { return nil }
        return IndexTerm(
            bytes: joinedBytes(words.prefix(longestTag)), position: position, form: .folded(prefix: "#"))
    }
}
