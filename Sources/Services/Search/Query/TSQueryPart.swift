internal import Reactor

/// A term of a search, which is a word or a phrase, as a part of a `tsquery`.
@Loop struct TSQueryPart {
    let isExcluded: Bool
    /// Whether the term is a single stop word, not quoted.
    private(set) var isStopWord = false
    private(set) var text = ""
    /// A post must have one lexeme of each element. An empty element stands for a prefix search.
    private(set) var required: [[String]] = []
    private(set) var highlighted: Set<String> = []

    private let lexicon: Lexicon
    /// The words of the term, as a phrase.
    private var phrase = ""
    /// The distance from the last operand of the phrase to the next one.
    private var distance = 1
    /// The symbols of the term. They have no positions of their own, so they are not part of the phrase.
    private var symbols: [String] = []
    private var units = 0
    private var stopWords = 0

    /// Returns `nil` if no word of the term is indexed.
    init?(_ term: SearchExpression.Term, _ lexicon: Lexicon, expansions: [String]) {
        isExcluded = term.isExcluded
        self.lexicon = lexicon
        let words = term.words
        TextUnit.forEachUnit(in: words) { unit, range in
            units += 1
            switch unit {
            case .word: addWord(words[range.lowerBound], expansions)
            case .compound: addCompound(words[range])
            case .unspaced: addUnspaced(words[range])
            case .symbol: addSymbol(words[range.lowerBound])
            }
        }
        let operands = (phrase.isEmpty ? [] : ["(\(phrase))"]) + symbols
        guard !operands.isEmpty else { return nil }
        text = operands.count == 1 ? operands[0] : "(\(operands.joined(separator: " & ")))"
        isStopWord = !term.isQuoted && units == 1 && stopWords == 1
        if isExcluded {
            text = "!\(text)"
            (required, highlighted) = ([], [])
        }
    }

    private mutating func addWord(_ word: Tokenizer.Word, _ expansions: [String]) {
        guard let entry = lexicon[word.bytes], !entry.stems.isEmpty else {
            distance += 1
            return
        }
        if entry.isStopWord, word.suffix.isEmpty, word.prefix == nil { stopWords += 1 }
        var spellings = word.suffix.isEmpty ? [] : [entry.folded + word.suffix]
        if let prefix = word.prefix { spellings.append(String(prefix) + entry.folded) }
        // An exclusion uses only these lexemes, or the word with its accents. Otherwise they raise the rank.
        guard !isExcluded || spellings.isEmpty else { return add(spellings) }
        if isExcluded { return add(entry.excludedLexemes) }
        let words = entry.stems + expansions.filter { !entry.stems.contains($0) }
        add(words + (entry.accented.map { [$0] } ?? []) + spellings)
        required.append(words)
    }

    /// A compound matches its parts as a phrase, and the joined word.
    private mutating func addCompound(_ words: ArraySlice<Tokenizer.Word>) {
        let parts = words.compactMap { lexicon[$0.bytes] }.filter { !$0.stems.isEmpty }
        guard let joined = lexicon[IndexTerm.joinedBytes(words)], !joined.stems.isEmpty, parts.count == words.count,
            let last = words.last
        else {
            for word in words { addWord(word, []) }
            return
        }
        var spellings = words.first?.prefix.map { [String($0) + joined.folded] } ?? []
        if !last.suffix.isEmpty { spellings.append(joined.folded + last.suffix) }
        guard !isExcluded || spellings.isEmpty else {
            add(spellings)
            // The index has these lexemes at the position of the first part.
            distance = words.count
            return
        }
        if joined.isStopWord, parts.allSatisfy(\.isStopWord) { stopWords += 1 }
        let accented = joined.accented.map { [$0] } ?? []
        let phrase = parts.map { Self.alternatives(isExcluded ? $0.excludedLexemes : $0.stems) }
            .joined(separator: " <1> ")
        let others = isExcluded ? joined.excludedLexemes : joined.stems + accented + spellings
        append("((\(phrase)) | \(others.map(TSQuery.quoted).joined(separator: " | ")))")
        required += parts.map { $0.stems + joined.stems }
        highlighted.formUnion(parts.flatMap(\.stems) + others)
    }

    private mutating func addUnspaced(_ words: ArraySlice<Tokenizer.Word>) {
        let tag = IndexTerm.tag(words).flatMap { lexicon.lexemes(of: $0).first }
        if isExcluded, let tag {
            add([tag])
            // The index has the tag at the position of its first character.
            distance = words.count
            return
        }
        let last = words.index(before: words.endIndex)
        guard words.count > 1 else {
            // The index has the character as the first one of a pair, or alone at the end of a run.
            let lexemes = lexicon.lexemes(of: IndexTerm.pair(words))
            guard !lexemes.isEmpty else { return distance += 1 }
            append(Self.alternatives(lexemes, mark: ":*"))
            required.append([])
            highlighted.formUnion(lexemes)
            return
        }
        let before = (phrase, distance)
        // The tag is an alternative of these pairs only, not of the words before them.
        if tag != nil { (phrase, distance) = ("", 1) }
        for index in words.startIndex..<last {
            let lexemes = lexicon.lexemes(of: IndexTerm.pair(words[index...index + 1]))
            guard !lexemes.isEmpty else {
                distance += 1
                continue
            }
            add(lexemes)
            required.append(lexemes)
        }
        distance += 1
        if let tag {
            let (pairs, next) = (phrase, distance)
            (phrase, distance) = before
            append("((\(pairs)) | \(TSQuery.quoted(tag)))")
            distance = next
        }
    }

    /// A joined symbol also matches posts with its first part, such as a person without a profession.
    private mutating func addSymbol(_ word: Tokenizer.Word) {
        let parts = word.symbols.prefix(isExcluded ? 1 : 2).map { String(decoding: $0, as: UTF8.self) }
        symbols.append(Self.alternatives(parts))
        highlighted.formUnion(parts)
        required.append([parts.last ?? ""])
    }

    /// Adds an operand that matches each of some lexemes.
    private mutating func add(_ lexemes: [String]) {
        append(Self.alternatives(lexemes))
        highlighted.formUnion(lexemes)
    }

    private mutating func append(_ operand: String) {
        phrase += phrase.isEmpty ? operand : " <\(distance)> \(operand)"
        distance = 1
    }

    private static func alternatives(_ lexemes: [String], mark: String = "") -> String {
        let operand = lexemes.map { TSQuery.quoted($0) + mark }.joined(separator: " | ")
        return lexemes.count == 1 ? operand : "(\(operand))"
    }
}
