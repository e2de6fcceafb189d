internal import Postgres
internal import Reactor

/// Caches the stems and the folded form of words, and which words the table `vocabulary` has.
///
/// Most texts need no query, because posts and searches repeat the same words.
@Loop final class Lexicon {
    /// The maximum number of words that one post adds to the vocabulary, so that posts of random text do not fill the
    /// table.
    static let newWordLimit = 200
    /// The maximum length of an indexed word, in bytes. A `tsvector` stores at most 2046 bytes.
    private static let longestWord = 255

    /// The lexemes of a word.
    struct Entry {
        /// The stems by which the index has the word in all its spellings. A word with accents can have two: its stem
        /// without accents, and the stem of the word without accents. A stop word is its own stem. Empty if the word is
        /// not indexed.
        let stems: [String]
        /// The word without accents and ligatures.
        let folded: String
        /// The stem of the word with its accents, in canonical composition (NFC), or the word if its stem has none;
        /// `nil` if the word has no accents.
        let accented: String?
        let isStopWord: Bool
        fileprivate var isInVocabulary = false
        /// The lexemes that exclude the word. A word that was typed with accents does not exclude the one without them.
        var excludedLexemes: [String] { accented.map { [$0] } ?? stems }

        /// The stems as parts of the text of a `tsvector`.
        fileprivate let quotedStems: [String]
        /// Whether the word is searched if similar words are typed.
        fileprivate let isVocabularyWord: Bool

        /// Decodes a row of ``SearchStatements/lexicon``.
        fileprivate init(_ row: Row, longest: Int) throws(PostgresError) {
            let (_, composed, folded, accentedStem, stem, foldedStem) = try row.decode(
                (String, String, String, String, String, String).self)
            let isIndexed = folded.utf8.count <= longest && composed.utf8.count <= longest
            let isAccented = !composed.utf8.elementsEqual(folded.utf8)
            isStopWord = isIndexed && stem.isEmpty
            self.folded = isIndexed ? folded : ""
            let hasAccentedStem = !accentedStem.utf8.elementsEqual(stem.utf8)
            accented = isAccented && isIndexed ? (hasAccentedStem ? accentedStem : composed) : nil
            let isFoldedStopWord = isAccented && foldedStem.isEmpty
            if !isIndexed {
                stems = []
            } else if isStopWord {
                stems = [folded]
            } else if isFoldedStopWord {
                // Without its accents, a word such as `thé` is a stop word.
                stems = [composed]
            } else {
                stems = stem == foldedStem ? [stem] : [stem, foldedStem]
            }
            quotedStems = stems.map(TSQuery.quoted)
            isVocabularyWord =
                isIndexed && !isStopWord && !isFoldedStopWord
                && Tokenizer.Word.vocabularyLengths.contains(folded.unicodeScalars.count)
                && folded.unicodeScalars.contains { CharacterKind($0) == .letter }
        }
    }

    /// The bytes of a word.
    ///
    /// The key is the word itself. With a hash as the key, a word would have the stem of any other word with the same
    /// hash, and anyone could keep a word out of the vocabulary by posting another word with the same hash first.
    fileprivate struct Key: Hashable {
        let bytes: [UInt8]

        // The hash function of an array takes one byte after the other, which is slower.
        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    private let database: PostgresPool
    private let dictionary: String
    private let limit: Int
    private let lifetime: Duration
    private var entries = Entries()
    private var expiresAt: ContinuousClock.Instant

    /// Makes an empty cache.
    ///
    /// - Parameters:
    ///   - language: decides the stems and the stop words.
    ///   - limit: the number of words after which an empty cache replaces this one.
    ///   - lifetime: the time after which the cache begins empty again, because an operator may have emptied the
    ///     vocabulary.
    init(
        database: PostgresPool, language: SearchLanguage = .english, limit: Int = 100_000,
        lifetime: Duration = .seconds(3600)
    ) {
        self.database = database
        dictionary = language.dictionary
        self.limit = limit
        self.lifetime = lifetime
        expiresAt = .now + lifetime
    }

    /// The number of cached words.
    var count: Int { entries.byKey.count }

    /// Returns entries that include those of the words of some texts.
    @discardableResult func load(
        _ texts: [String], deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> Entries {
        try await load(texts.map { TokenizedText($0) }, deadline: deadline)
    }

    /// Returns entries that include those of the words of some texts. Other jobs run between two batches of the texts
    /// (``TokenizedText/batches(of:)``).
    @discardableResult func load(
        _ texts: [TokenizedText], deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> Entries {
        emptyIfOld()
        // Another task may empty the cache meanwhile. These entries stay complete.
        let entries = self.entries
        var missing: Set<Key> = []
        for (number, batch) in TokenizedText.batches(of: texts).enumerated() {
            if number > 0 { await Task.yield() }
            for text in texts[batch] {
                IndexTerm.forEachTerm(in: text.text, text.words) { term in
                    let key = Key(bytes: term.bytes)
                    if needsEntry(term), entries.byKey[key] == nil { missing.insert(key) }
                }
            }
        }
        if !missing.isEmpty { try await loadEntries(of: missing, into: entries, deadline: deadline) }
        return entries
    }

    private func needsEntry(_ term: IndexTerm) -> Bool {
        // A word that is too long is not indexed. It is not cached, because its key could be as long as a post.
        term.form != .literal && term.bytes.count <= Self.longestWord
    }

    private func emptyIfOld() {
        guard count > limit || .now > expiresAt else { return }
        entries = Entries()
        expiresAt = .now + lifetime
    }

    // The words are keys, not strings, because two normalization forms of a word are equal strings.
    private func loadEntries(
        of words: Set<Key>, into entries: Entries, deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) {
        let texts = words.map { String(decoding: $0.bytes, as: UTF8.self) }
        for row in try await database.query(SearchStatements.lexicon, texts, dictionary, deadline: deadline) {
            let key = Key(bytes: Array(try row.get(0, as: String.self).utf8))
            if entries.byKey[key] == nil { entries.byKey[key] = try Entry(row, longest: Self.longestWord) }
        }
    }
}

// MARK: Entries

extension Lexicon {
    /// The entries of words.
    ///
    /// An entry is never removed. To empty its cache, the lexicon begins with a new instance, and a task that has this
    /// one can use it to its end.
    @Loop final class Entries {
        fileprivate var byKey: [Key: Entry] = [:]

        /// The entry of a word that ``Lexicon/load(_:deadline:)`` has loaded; `nil` for a word of more than 255 bytes.
        subscript(_ bytes: [UInt8]) -> Entry? { byKey[Key(bytes: bytes)] }

        /// Returns the lexemes of a term that is loaded. Of a word, these are the stems.
        func lexemes(of term: IndexTerm) -> [String] {
            switch term.form {
            case .literal: return [String(decoding: term.bytes, as: UTF8.self)]
            case .stem: return self[term.bytes]?.stems ?? []
            case .folded(let prefix, let suffix):
                guard let folded = self[term.bytes]?.folded, !folded.isEmpty else { return [] }
                return [prefix + folded + suffix]
            }
        }
    }
}

// MARK: Posts

extension Lexicon {
    /// The words of some posts, in the form in which the index stores them.
    struct Analysis {
        /// For each post, the text form of a `tsvector`: the lexemes with their positions. Lexemes with accents, `#` or
        /// `+` have the weight A.
        fileprivate(set) var vectors: [String] = []
        /// The words that the vocabulary may lack.
        fileprivate(set) var newWords: Set<String> = []
        /// The cache keys of ``newWords``.
        fileprivate var newKeys: [Key] = []
        /// The words whose entries are not loaded. The vectors lack them.
        fileprivate var missing: Set<Key> = []
    }

    /// Splits posts into words, and loads what is not cached.
    func analyze(_ posts: [String]) async throws(PostgresError) -> Analysis {
        let texts = await TokenizedText.of(posts)
        emptyIfOld()
        // Another task may empty the cache meanwhile. These entries stay complete.
        let entries = self.entries
        let first = await analysis(of: texts, entries)
        guard !first.missing.isEmpty else { return first }
        try await loadEntries(of: first.missing, into: entries)
        return await analysis(of: texts, entries)
    }

    /// Analyzes posts with the entries that are loaded. Other jobs run between two batches of the posts.
    private func analysis(of posts: [TokenizedText], _ entries: Entries) async -> Analysis {
        var analysis = Analysis()
        for (number, batch) in TokenizedText.batches(of: posts).enumerated() {
            if number > 0 { await Task.yield() }
            for post in posts[batch] { add(post, to: &analysis, entries) }
        }
        return analysis
    }

    /// Records that the vocabulary has the new words of an analysis. Call it after their insertion has committed.
    func recordInVocabulary(_ analysis: Analysis) {
        for key in analysis.newKeys { entries.byKey[key]?.isInVocabulary = true }
    }

    /// Adds the terms of a post to an analysis.
    private func add(_ post: TokenizedText, to analysis: inout Analysis, _ entries: Entries) {
        var vector = VectorText(capacity: post.text.utf8.count * 3 / 2)
        var newWords = 0
        IndexTerm.forEachTerm(in: post.text, post.words) { term in
            guard needsEntry(term) else {
                if term.form == .literal {
                    vector.append(TSQuery.quoted(String(decoding: term.bytes, as: UTF8.self)), term.position)
                }
                return
            }
            let key = Key(bytes: term.bytes)
            guard let entry = entries.byKey[key] else {
                analysis.missing.insert(key)
                return
            }
            if case .folded(let prefix, let suffix) = term.form {
                guard !entry.folded.isEmpty else { return }
                let weight = prefix.isEmpty && suffix.isEmpty ? "" : "A"
                vector.append(TSQuery.quoted(prefix + entry.folded + suffix), term.position, weight)
                return
            }
            if entry.isVocabularyWord, !entry.isInVocabulary, newWords < Self.newWordLimit {
                if analysis.newWords.insert(entry.folded).inserted { newWords += 1 }
                analysis.newKeys.append(key)
            }
            for stem in entry.quotedStems { vector.append(stem, term.position) }
            if let accented = entry.accented { vector.append(TSQuery.quoted(accented), term.position, "A") }
        }
        analysis.vectors.append(vector.text)
    }
}

/// The text form of a `tsvector`.
private struct VectorText {
    /// The highest position that a `tsvector` stores.
    private static let lastPosition = 16_383

    private(set) var text = ""

    init(capacity: Int) {
        text.reserveCapacity(capacity)
    }

    mutating func append(_ quoted: String, _ position: Int, _ weight: String = "") {
        guard position <= Self.lastPosition else { return }
        text += quoted
        text += ":"
        text += String(position)
        text += weight
        text += " "
    }
}
