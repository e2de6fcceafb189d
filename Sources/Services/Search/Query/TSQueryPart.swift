internal import Reactor

/// A term of a search, which is a word or a phrase, as a part of a `tsquery`.
@Loop struct TSQueryPart {
    let isExcluded: Bool
    /// Whether the term is a single stop word, not quoted.
    private(set) var isStopWord = false
    /// Whether the term matches all lexemes with a beginning.
    private(set) var isPrefix = false
    private(set) var text = ""
    /// The lexemes that a post must have: of each element, one.
    private(set) var required: [[String]] = []
    private(set) var highlighted: Set<String> = []

    private let lexicon: Lexicon
    /// The distance from the last operand to the next one.
    private var distance = 1

    /// Returns `nil` if the index has nothing for the term.
    init?(_ term: SearchExpression.Term, _ lexicon: Lexicon, expansions: [String]) {
        isExcluded = term.isExcluded
        self.lexicon = lexicon
        let words = term.words
        TextUnit.forEachUnit(in: words) { unit, range in
            switch unit {
            case .word: addWord(words[range.lowerBound], expansions)
            case .compound: addCompound(words[range])
            case .unspaced: addUnspaced(words[range])
            case .symbol: addSymbol(words[range.lowerBound])
            }
        }
        guard !text.isEmpty else { return nil }
        text = isExcluded ? "!(\(text))" : "(\(text))"
        let stopWords = words.allSatisfy { $0.kind == .word && lexicon[$0.bytes]?.isStopWord == true }
        let isOneWord = words.count == 1 || lexicon[IndexTerm.joinedBytes(words[...])]?.isStopWord == true
        isStopWord = !term.isQuoted && stopWords && isOneWord
        if isExcluded { (required, highlighted) = ([], []) }
    }

    private mutating func addWord(_ word: Tokenizer.Word, _ expansions: [String]) {
        guard let entry = lexicon[word.bytes], !entry.stem.isEmpty else {
            distance += 1
            return
        }
        // These have one spelling only, so posts with them rank higher. Only such posts are excluded.
        var spellings = word.suffix.isEmpty ? [] : [entry.folded + word.suffix]
        if word.isTag { spellings.append("#" + entry.folded) }
        if isExcluded, !spellings.isEmpty {
            add(spellings)
            return
        }
        add([entry.stem] + expansions + (entry.accented.map { [$0] } ?? []) + spellings)
        required.append([entry.stem] + expansions)
    }

    /// A compound matches its parts, with any connectors or spaces between them, and the joined word.
    private mutating func addCompound(_ words: ArraySlice<Tokenizer.Word>) {
        let joined = lexicon[IndexTerm.joinedBytes(words)]
        if isExcluded, let tag = words.first, tag.isTag, let joined {
            add(["#" + joined.folded])
            return
        }
        let parts = words.compactMap { lexicon[$0.bytes]?.stem }.filter { !$0.isEmpty }
        guard let joined, !joined.stem.isEmpty, parts.count == words.count else {
            for word in words { addWord(word, []) }
            return
        }
        let phrase = parts.map(TSQuery.quoted).joined(separator: " <1> ")
        var others = [joined.stem] + (joined.accented.map { [$0] } ?? [])
        if words.first?.isTag == true { others.append("#" + joined.folded) }
        append("((\(phrase)) | \(others.map(TSQuery.quoted).joined(separator: " | ")))")
        required += parts.map { [$0, joined.stem] }
        highlighted.formUnion(parts + others)
    }

    private mutating func addUnspaced(_ words: ArraySlice<Tokenizer.Word>) {
        let last = words.index(before: words.endIndex)
        guard words.count > 1 else {
            // The index has the character as the first one of a pair, or alone at the end of a run.
            guard let lexeme = lexicon.lexeme(of: IndexTerm.pair(words)) else { return }
            append("\(TSQuery.quoted(lexeme)):*")
            required.append([lexeme])
            highlighted.insert(lexeme)
            isPrefix = true
            return
        }
        for index in words.startIndex..<last {
            guard let lexeme = lexicon.lexeme(of: IndexTerm.pair(words[index...index + 1])) else {
                distance += 1
                continue
            }
            add([lexeme])
            required.append([lexeme])
        }
        distance += 1
    }

    /// A symbol also matches posts with another variant of its first part, such as a person without a profession.
    private mutating func addSymbol(_ word: Tokenizer.Word) {
        let parts = word.symbols.prefix(2).map { String(decoding: $0, as: UTF8.self) }
        add(isExcluded ? Array(parts.prefix(1)) : parts)
        required.append([parts.last ?? ""])
    }

    /// Adds an operand that matches each of some lexemes.
    private mutating func add(_ lexemes: [String]) {
        let operand = lexemes.map(TSQuery.quoted).joined(separator: " | ")
        append(lexemes.count == 1 ? operand : "(\(operand))")
        highlighted.formUnion(lexemes)
    }

    private mutating func append(_ operand: String) {
        text += text.isEmpty ? operand : " <\(distance)> \(operand)"
        distance = 1
    }
}
