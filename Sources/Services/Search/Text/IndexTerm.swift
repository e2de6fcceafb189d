/// A term that the index has for a text.
///
/// A word is also found by its parts: `e-mail` by `e`, `mail` and `email`, `covid19` by `covid` and `19`, and the
/// hashtag `#SwiftLang` by `swift` and `lang`. Of a script without spaces, the index has each pair of neighbouring
/// characters. Pairs find any part of a text. A dictionary of words would have to know every name, and could divide a
/// search in another way than a post.
struct IndexTerm {
    enum Form: Hashable {
        /// The stem of the word, and also the word itself if it has accents.
        case stem
        /// The word without accents, and with these characters before and after it.
        case folded(prefix: String = "", suffix: String = "")
        /// The bytes as they are.
        case literal
    }

    /// The word in lower case.
    let bytes: [UInt8]
    /// The position in the text, from 1.
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
        TextUnit.forEachUnit(in: words) { unit, range in
            switch unit {
            case .word: add(words[range.lowerBound], at: range.lowerBound + 1, in: text, body)
            case .compound: addCompound(words[range], in: text, body)
            case .unspaced: addUnspaced(words[range], body)
            case .symbol:
                for symbol in words[range.lowerBound].symbols {
                    body(IndexTerm(bytes: symbol, position: range.lowerBound + 1, form: .literal))
                }
            }
        }
    }

    private static func add(
        _ word: Tokenizer.Word, at position: Int, in text: String, _ body: (IndexTerm) -> Void
    ) {
        body(IndexTerm(bytes: word.bytes, position: position, form: .stem))
        if !word.suffix.isEmpty {
            body(IndexTerm(bytes: word.bytes, position: position, form: .folded(suffix: word.suffix)))
        }
        if word.isTag { body(IndexTerm(bytes: word.bytes, position: position, form: .folded(prefix: "#"))) }
        for part in word.isTag ? word.tagParts(in: text) : word.lettersAndDigits {
            body(IndexTerm(bytes: part, position: position, form: .stem))
        }
    }

    /// Adds the parts, and the joined word at the positions of the first and the last part, so that phrases with the
    /// word before and with the word after it find the joined word.
    private static func addCompound(
        _ words: ArraySlice<Tokenizer.Word>, in text: String, _ body: (IndexTerm) -> Void
    ) {
        for index in words.indices { add(words[index], at: index + 1, in: text, body) }
        let joined = joinedBytes(words)
        for position in [words.startIndex + 1, words.endIndex] {
            body(IndexTerm(bytes: joined, position: position, form: .stem))
        }
        if words[words.startIndex].isTag {
            body(IndexTerm(bytes: joined, position: words.startIndex + 1, form: .folded(prefix: "#")))
        }
    }

    /// Adds each pair of characters, and the last character alone, so that a search for one character finds it.
    private static func addUnspaced(_ words: ArraySlice<Tokenizer.Word>, _ body: (IndexTerm) -> Void) {
        for index in words.indices { body(pair(words[index...].prefix(2), at: index + 1)) }
    }

    /// Returns the bytes of a compound without its connectors.
    static func joinedBytes(_ words: ArraySlice<Tokenizer.Word>) -> [UInt8] { words.flatMap(\.bytes) }

    /// Returns the term of one or two neighbouring characters.
    static func pair(_ words: ArraySlice<Tokenizer.Word>, at position: Int = 1) -> IndexTerm {
        IndexTerm(
            bytes: joinedBytes(words), position: position,
            form: words.allSatisfy(\.isNormalized) ? .literal : .folded())
    }
}
