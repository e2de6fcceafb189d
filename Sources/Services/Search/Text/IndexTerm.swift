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

    /// The number of characters of a hashtag in a script without spaces that its term has. A run of letters and digits
    /// counts as one character.
    private static let tagPrefixLength = 20

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
            if let tag = hashtag(in: words, from: range.lowerBound, at: position) { body(tag.term) }
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
        if let prefix = word.symbolPrefix, !isPart {
            body(IndexTerm(bytes: word.bytes, position: position, form: .folded(prefix: prefix)))
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
        if let prefix = words.first?.symbolPrefix {
            body(IndexTerm(bytes: joined, position: position, form: .folded(prefix: prefix)))
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
    }

    /// Returns the bytes of a compound without its connectors.
    static func joinedBytes(_ words: ArraySlice<Tokenizer.Word>) -> [UInt8] { words.flatMap(\.bytes) }

    /// Returns the term of one or two neighbouring characters.
    static func pair(_ words: ArraySlice<Tokenizer.Word>, at position: Int = 1) -> IndexTerm {
        IndexTerm(
            bytes: joinedBytes(words), position: position,
            form: words.allSatisfy(\.isStoredUnchanged) ? .literal : .folded())
    }

    /// Returns the terms of a word or compound with the symbols before and after it, such as `.net` and `c++`. The `#`
    /// of a hashtag is not such a symbol.
    static func spellings(_ words: ArraySlice<Tokenizer.Word>) -> [IndexTerm] {
        var forms: [Form] = []
        if let prefix = words.first?.symbolPrefix { forms.append(.folded(prefix: prefix)) }
        if let suffix = words.last?.suffix, !suffix.isEmpty { forms.append(.folded(suffix: suffix)) }
        return forms.map { IndexTerm(bytes: joinedBytes(words), form: $0) }
    }

    /// Returns the term of the hashtag that begins with a word, and the range of its words; `nil` if the word begins
    /// none. The term has the position of the first word. In a script without spaces, hashtags with the same first 20
    /// characters have the same term.
    static func hashtag(
        in words: [Tokenizer.Word], from start: Int, at position: Int = 1
    ) -> (term: IndexTerm, range: Range<Int>)? {
        guard let range = TextUnit.hashtag(in: words, from: start) else { return nil }
        let bytes = joinedBytes(words[range].prefix(tagPrefixLength))
        return (IndexTerm(bytes: bytes, position: position, form: .folded(prefix: "#")), range)
    }
}

extension Tokenizer.Word {
    /// The prefix if it is not the `#` of a hashtag.
    fileprivate var symbolPrefix: String? { isTag ? nil : prefix.map { String($0) } }
}
