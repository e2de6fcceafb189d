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

    /// The maximum number of phrases. Each compound doubles their number, because `e-mail` has two positions and
    /// `email` has one. PostgreSQL would accept both as alternatives inside one phrase, but it would then compare wrong
    /// positions: `('e' <1> 'mail' | 'email') <1> 'address'` matches `e-mail and address`.
    private static let phraseLimit = 8

    private let entries: Lexicon.Entries
    /// The words of the term as phrases. A post must match one of them.
    private var phrases = [TSPhrase()]
    /// The position of the current unit in the term.
    private var position = 0
    /// The hashtag of the current word or character.
    private var shortHashtag: String?
    /// The hashtag of several words or characters that the current unit belongs to.
    private var hashtag: Hashtag?
    /// The symbols of the term. They have no positions of their own, so they are not part of the phrases.
    private var symbols: [String] = []
    private var units = 0
    private var stopWords = 0

    private struct Hashtag {
        let lexeme: String
        /// The index after the last word.
        let end: Int
        let position: Int
        /// The phrases without the hashtag.
        let before: [TSPhrase]
    }

    /// Returns `nil` if no word of the term is indexed.
    init?(_ term: SearchExpression.Term, _ entries: Lexicon.Entries, expansions: [String]) {
        isExcluded = term.isExcluded
        self.entries = entries
        let words = term.words
        TextUnit.forEachUnit(in: words) { unit, range in
            units += 1
            guard unit != .symbol else { return addSymbol(words[range.lowerBound]) }
            beginHashtag(words, range.lowerBound)
            if isExcluded {
                exclude(unit, words[range])
            } else {
                add(unit, words[range], expansions)
            }
            endHashtag(range.upperBound)
            position += range.count
        }
        let alternatives = phrases.filter { !$0.text.isEmpty }.map { "(\($0.text))" }
        let operands = (alternatives.isEmpty ? [] : [Self.joined(alternatives, by: " | ")]) + symbols
        guard !operands.isEmpty else { return nil }
        text = Self.joined(operands, by: " & ")
        isStopWord = !term.isQuoted && units == 1 && stopWords == 1
        if isExcluded {
            text = "!\(text)"
            (required, highlighted) = ([], [])
        }
    }

    private mutating func add(_ unit: TextUnit, _ words: ArraySlice<Tokenizer.Word>, _ expansions: [String]) {
        switch unit {
        case .word: addWords(words, expansions)
        case .compound: addCompound(words)
        case .unspaced: addUnspaced(words)
        case .symbol: break
        }
    }

    /// An exclusion of a hashtag or of a word with symbols needs each of these spellings at the same position, so that
    /// `-#C++` excludes neither `C++` nor `#C`. Any other exclusion has the operands of a search, but a word that was
    /// typed with accents matches only with them.
    private mutating func exclude(_ unit: TextUnit, _ words: ArraySlice<Tokenizer.Word>) {
        // The index has no such spellings for scripts without spaces.
        let spellings = unit == .unspaced ? [] : spellings(words)
        if let shortHashtag { add([shortHashtag], at: position) }
        if let hashtag, hashtag.position == position { add([hashtag.lexeme], at: position) }
        for spelling in spellings { add([spelling], at: position) }
        if shortHashtag == nil, hashtag == nil, spellings.isEmpty { add(unit, words, []) }
    }

    private mutating func addWords(_ words: ArraySlice<Tokenizer.Word>, _ expansions: [String] = []) {
        for (offset, word) in words.enumerated() {
            guard let entry = entries[word.bytes], !entry.stems.isEmpty else { continue }
            if entry.isStopWord, word.suffix.isEmpty, word.prefix == nil { stopWords += 1 }
            // An exclusion uses only these lexemes, or the word with its accents. Otherwise they raise the rank.
            if isExcluded {
                add(entry.excludedLexemes, at: position + offset)
                continue
            }
            let lexemes = entry.stems + expansions.filter { !entry.stems.contains($0) }
            let others = (entry.accented.map { [$0] } ?? []) + (shortHashtag.map { [$0] } ?? []) + spellings([word])
            add(lexemes + others, at: position + offset)
            required.append(lexemes)
        }
    }

    /// A compound matches its parts as a phrase, and the joined word. If the term has too many compounds, it matches
    /// only its parts.
    private mutating func addCompound(_ words: ArraySlice<Tokenizer.Word>) {
        let parts = words.compactMap { entries[$0.bytes] }.filter { !$0.stems.isEmpty }
        guard let joined = entries[IndexTerm.joinedBytes(words)], !joined.stems.isEmpty, parts.count == words.count
        else { return addWords(words) }
        if joined.isStopWord, parts.allSatisfy(\.isStopWord) { stopWords += 1 }
        let before = phrases
        for (offset, part) in parts.enumerated() {
            add(isExcluded ? part.excludedLexemes : part.stems, at: position + offset)
        }
        let accented = joined.accented.map { [$0] } ?? []
        let others = isExcluded ? joined.excludedLexemes : joined.stems + accented + spellings(words)
        let isAdded = addAlternative(others, to: before, at: position...position + words.count - 1)
        required += parts.map { isAdded ? $0.stems + joined.stems : $0.stems }
    }

    private mutating func addUnspaced(_ words: ArraySlice<Tokenizer.Word>) {
        if words.count == 1 {
            // The index has the character as the first one of a pair, or alone at the end of a run.
            let lexemes = entries.lexemes(of: IndexTerm.pair(words))
            guard !lexemes.isEmpty else { return }
            let operands = lexemes.map { TSQuery.quoted($0) + ":*" } + (shortHashtag.map { [TSQuery.quoted($0)] } ?? [])
            append(Self.joined(operands, by: " | "), at: position)
            required.append([])
            highlighted.formUnion(lexemes + (shortHashtag.map { [$0] } ?? []))
        }
        for (offset, index) in words.indices.dropLast().enumerated() {
            let lexemes = entries.lexemes(of: IndexTerm.pair(words[index...index + 1]))
            guard !lexemes.isEmpty else { continue }
            add(lexemes, at: position + offset)
            required.append(lexemes)
        }
    }

    /// A joined symbol also matches posts with its first part, such as a person without a profession.
    private mutating func addSymbol(_ word: Tokenizer.Word) {
        let parts = word.symbols.prefix(isExcluded ? 1 : 2).map { String(decoding: $0, as: UTF8.self) }
        symbols.append(Self.alternatives(parts))
        highlighted.formUnion(parts)
        required.append([parts.last ?? ""])
    }

    private mutating func beginHashtag(_ words: [Tokenizer.Word], _ start: Int) {
        guard let tag = IndexTerm.hashtag(in: words, from: start), let lexeme = entries.lexemes(of: tag.term).first
        else { return }
        if tag.range.count == 1 {
            shortHashtag = lexeme
        } else {
            hashtag = Hashtag(lexeme: lexeme, end: tag.range.upperBound, position: position, before: phrases)
        }
    }

    /// A hashtag is also an alternative of its words, so that posts with the hashtag rank higher.
    private mutating func endHashtag(_ end: Int) {
        shortHashtag = nil
        guard let hashtag, hashtag.end == end else { return }
        self.hashtag = nil
        if !isExcluded {
            addAlternative([hashtag.lexeme], to: hashtag.before, at: hashtag.position...hashtag.position)
        }
    }

    /// Returns the lexemes of a word or compound with the symbols before and after it.
    private func spellings(_ words: ArraySlice<Tokenizer.Word>) -> [String] {
        IndexTerm.spellings(words).flatMap { entries.lexemes(of: $0) }
    }

    /// Adds an operand that matches each of some lexemes to all phrases.
    private mutating func add(_ lexemes: [String], at position: Int) {
        append(Self.alternatives(lexemes), at: position)
        highlighted.formUnion(lexemes)
    }

    private mutating func append(_ operand: String, at position: Int) {
        for index in phrases.indices { phrases[index].append(operand, at: position...position) }
    }

    /// Adds phrases that continue with an operand in place of the words that the current phrases have.
    ///
    /// - Parameters:
    ///   - lexemes: the lexemes, each of which the operand matches.
    ///   - before: the phrases before these words.
    ///   - positions: the positions of the term that the operand stands for.
    /// - Returns: whether the limit of phrases allows it.
    @discardableResult
    private mutating func addAlternative(
        _ lexemes: [String], to before: [TSPhrase], at positions: ClosedRange<Int>
    ) -> Bool {
        guard phrases.count + before.count <= Self.phraseLimit else { return false }
        for phrase in before {
            phrases.append(phrase)
            phrases[phrases.count - 1].append(Self.alternatives(lexemes), at: positions)
        }
        highlighted.formUnion(lexemes)
        return true
    }

    private static func alternatives(_ lexemes: [String]) -> String { joined(lexemes.map(TSQuery.quoted), by: " | ") }

    private static func joined(_ operands: [String], by separator: String) -> String {
        operands.count == 1 ? operands[0] : "(\(operands.joined(separator: separator)))"
    }
}

/// A sequence of operands, each at a distance from the one before it.
private struct TSPhrase {
    private(set) var text = ""
    /// The last position that the last operand stands for.
    private var end = 0

    mutating func append(_ operand: String, at positions: ClosedRange<Int>) {
        text += text.isEmpty ? operand : " <\(positions.lowerBound - end)> \(operand)"
        end = positions.upperBound
    }
}
