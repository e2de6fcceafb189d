internal import Postgres
internal import Reactor

/// Caches what the database says about words: their stems and their spelling without accents, and whether the table
/// `vocabulary` has them.
///
/// Most texts need no query, because posts and searches repeat the same words.
@Loop final class Lexicon {
    /// The maximum number of words that one post adds to the vocabulary, so that posts of random text do not fill the
    /// table.
    static let newWordLimit = 200
    /// The maximum length of an indexed word, in bytes.
    private static let longestWord = 255

    /// What the database says about a word.
    struct Entry {
        /// The stem of the folded word, by which the index has the word. A stop word is its own stem, and so is a word
        /// that only without its accents would be a stop word.
        let stem: String
        /// The word without accents, in compatibility composition (NFKC).
        let folded: String
        /// The word with its accents, in canonical composition (NFC); `nil` if it has none.
        let accented: String?
        let isStopWord: Bool
        fileprivate var isInVocabulary = false

        /// The stem as a part of the text of a `tsvector`.
        fileprivate let quotedStem: String
        fileprivate let isVocabularyWord: Bool

        init(composed: String, folded: String, stem: String) {
            self.folded = folded
            let isAccented = composed != folded
            isStopWord = stem.isEmpty && !isAccented
            self.stem = stem.isEmpty ? composed : stem
            accented = isAccented ? composed : nil
            quotedStem = TSQuery.quoted(self.stem)
            let length = folded.unicodeScalars.count
            isVocabularyWord =
                !isStopWord && Tokenizer.Word.vocabularyLengths.contains(length)
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
    private var entries: [Key: Entry] = [:]
    private var expiresAt: ContinuousClock.Instant

    /// Makes an empty cache.
    ///
    /// - Parameters:
    ///   - language: decides the stems and the stop words.
    ///   - limit: the number of words after which the cache is emptied.
    ///   - lifetime: the time after which the cache is emptied, because an operator may have emptied the vocabulary.
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
    var count: Int { entries.count }

    /// What is known about a word that ``load(_:deadline:)`` has loaded; `nil` for a word of more than 255 bytes.
    subscript(_ bytes: [UInt8]) -> Entry? { entries[Key(bytes: bytes)] }

    /// Returns the lexeme by which the index has a term that is loaded; `nil` if the term is not indexed.
    func lexeme(of term: IndexTerm) -> String? {
        switch term.form {
        case .literal: String(decoding: term.bytes, as: UTF8.self)
        case .stem: self[term.bytes].flatMap { $0.stem.isEmpty ? nil : $0.stem }
        case .folded(let prefix, let suffix): self[term.bytes].map { prefix + $0.folded + suffix }
        }
    }

    /// Loads what is known about the words of some texts into the cache.
    ///
    /// The entries stay in the cache at least until the caller suspends next.
    func load(_ texts: [String], deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        emptyIfOld()
        // The loop repeats, because another task may have emptied the cache during the query.
        while true {
            var missing: Set<String> = []
            for text in texts {
                IndexTerm.forEachTerm(in: text, Tokenizer.words(of: text)) { term in
                    if needsEntry(term), self[term.bytes] == nil {
                        missing.insert(String(decoding: term.bytes, as: UTF8.self))
                    }
                }
            }
            guard !missing.isEmpty else { return }
            try await loadEntries(of: missing, deadline: deadline)
        }
    }

    private func needsEntry(_ term: IndexTerm) -> Bool {
        // A word that is too long is not indexed. It is not cached, because its key could be as long as a post.
        term.form != .literal && term.bytes.count <= Self.longestWord
    }

    private func emptyIfOld() {
        guard entries.count > limit || .now > expiresAt else { return }
        entries.removeAll(keepingCapacity: true)
        expiresAt = .now + lifetime
    }

    private func loadEntries(
        of words: Set<String>, deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) {
        for row in try await database.query(SearchStatements.lexicon, Array(words), dictionary, deadline: deadline) {
            let (word, composed, folded, stem) = try row.decode((String, String, String, String).self)
            let key = Key(bytes: Array(word.utf8))
            if entries[key] == nil { entries[key] = Entry(composed: composed, folded: folded, stem: stem) }
        }
    }
}

// MARK: Posts

extension Lexicon {
    /// The highest position that a `tsvector` stores.
    private static let lastPosition = 16_383

    /// The words of some posts, in the form in which the index stores them.
    struct Analysis {
        /// For each post, the text form of a `tsvector`: the lexemes with their positions. Lexemes of one spelling have
        /// the weight A.
        fileprivate(set) var vectors: [String] = []
        /// The words that the vocabulary may lack.
        fileprivate(set) var newWords: Set<String> = []
        /// The words from which they were made.
        fileprivate var newKeys: [Key] = []
    }

    /// Splits posts into words, and loads what is not cached.
    func analyze(_ posts: [String]) async throws(PostgresError) -> Analysis {
        emptyIfOld()
        while true {
            var analysis = Analysis()
            var missing: Set<String> = []
            for post in posts { add(post, to: &analysis, &missing) }
            guard !missing.isEmpty else { return analysis }
            try await loadEntries(of: missing)
        }
    }

    /// Records that the vocabulary has the new words of an analysis. Call it after their insertion has committed.
    func recordInVocabulary(_ analysis: Analysis) {
        for key in analysis.newKeys { entries[key]?.isInVocabulary = true }
    }

    /// Adds the terms of a post to an analysis, and to `missing` the words that are not cached.
    private func add(_ post: String, to analysis: inout Analysis, _ missing: inout Set<String>) {
        var vector = ""
        vector.reserveCapacity(post.utf8.count * 3 / 2)
        var newWords = 0
        func append(_ quoted: String, _ position: Int, _ weight: String = "") {
            vector += quoted
            vector += ":"
            vector += String(position)
            vector += weight
            vector += " "
        }
        IndexTerm.forEachTerm(in: post, Tokenizer.words(of: post)) { term in
            let isStored = term.position <= Self.lastPosition
            guard needsEntry(term) else {
                if term.form == .literal, isStored {
                    append(TSQuery.quoted(String(decoding: term.bytes, as: UTF8.self)), term.position)
                }
                return
            }
            let key = Key(bytes: term.bytes)
            guard let entry = entries[key] else {
                missing.insert(String(decoding: term.bytes, as: UTF8.self))
                return
            }
            if case .folded(let prefix, let suffix) = term.form {
                let weight = prefix.isEmpty && suffix.isEmpty ? "" : "A"
                if isStored { append(TSQuery.quoted(prefix + entry.folded + suffix), term.position, weight) }
                return
            }
            if entry.isVocabularyWord, !entry.isInVocabulary, newWords < Self.newWordLimit {
                if analysis.newWords.insert(entry.folded).inserted { newWords += 1 }
                analysis.newKeys.append(key)
            }
            guard isStored, !entry.stem.isEmpty else { return }
            append(entry.quotedStem, term.position)
            if let accented = entry.accented, accented != entry.stem {
                append(TSQuery.quoted(accented), term.position, "A")
            }
        }
        analysis.vectors.append(vector)
    }
}
