internal import Postgres
internal import Reactor

/// Caches what the database says about words: their English stems, and whether the table `vocabulary` has them.
///
/// Most texts need no query, because posts and searches repeat the same words.
@Loop final class Lexicon {
    /// The maximum number of words that one post adds to the vocabulary, so that posts of random text do not fill the
    /// table.
    static let newWordLimit = 200
    /// The maximum length of an indexed word, in bytes.
    private static let longestWord = 255
    /// The highest position that a `tsvector` stores.
    private static let lastPosition = 16_383

    /// The bytes of a word.
    ///
    /// The key is the word itself. With a hash as the key, a word would have the stem of any other word with the same
    /// hash, and anyone could keep a word out of the vocabulary by posting another word with the same hash first.
    private struct Key: Hashable {
        let bytes: [UInt8]

        // The hash function of an array takes one byte after the other, which is slower.
        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    private struct Entry {
        let stem: String
        var isInVocabulary = false
    }

    private let database: PostgresPool
    private let limit: Int
    private let lifetime: Duration
    private var entries: [Key: Entry] = [:]
    private var expiresAt: ContinuousClock.Instant

    /// Makes an empty cache.
    ///
    /// - Parameters:
    ///   - limit: the number of words after which the cache is emptied.
    ///   - lifetime: the time after which the cache is emptied, because an operator may have emptied the vocabulary.
    init(database: PostgresPool, limit: Int = 100_000, lifetime: Duration = .seconds(3600)) {
        self.database = database
        self.limit = limit
        self.lifetime = lifetime
        expiresAt = .now + lifetime
    }

    /// The number of cached words.
    var count: Int { entries.count }

    /// The stem of a word that ``load(_:deadline:)`` has loaded; empty for a stop word such as `the`
    /// and for a word of more than 255 bytes.
    subscript(_ word: Tokenizer.Word) -> String { entries[Key(bytes: word.bytes)]?.stem ?? "" }

    /// Loads the stems of all words of some texts into the cache.
    ///
    /// The stems stay in the cache at least until the caller suspends next.
    func load(_ texts: [String], deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        emptyIfOld()
        // The loop repeats, because another task may have emptied the cache during the query.
        while true {
            var missing: Set<String> = []
            for text in texts {
                Tokenizer.forEachWord(in: text) { word in
                    if Self.hasStem(word), entries[Key(bytes: word.bytes)] == nil { missing.insert(word.text) }
                }
            }
            guard !missing.isEmpty else { return }
            try await loadStems(of: missing, deadline: deadline)
        }
    }

    /// The words of some posts, in the form in which the index stores them.
    struct Analysis {
        /// For each post, the text form of a `tsvector`: the stems with their positions.
        var vectors: [String] = []
        /// The words that the vocabulary may lack.
        var newWords: Set<String> = []
    }

    /// Splits posts into words, and loads the stems that are not cached.
    func analyze(_ posts: [String]) async throws(PostgresError) -> Analysis {
        emptyIfOld()
        while true {
            var analysis = Analysis()
            var missing: Set<String> = []
            for post in posts { add(post, to: &analysis, &missing) }
            guard !missing.isEmpty else { return analysis }
            try await loadStems(of: missing)
        }
    }

    /// Records that the vocabulary has some words. Call it after their insertion has committed.
    func recordInVocabulary(_ words: some Sequence<String>) {
        for word in words { entries[Key(bytes: Array(word.utf8))]?.isInVocabulary = true }
    }

    private func emptyIfOld() {
        guard entries.count > limit || .now > expiresAt else { return }
        entries.removeAll(keepingCapacity: true)
        expiresAt = .now + lifetime
    }

    /// Adds the words of a post to an analysis, and to `missing` the words whose stems are not cached.
    private func add(_ post: String, to analysis: inout Analysis, _ missing: inout Set<String>) {
        var vector = ""
        vector.reserveCapacity(post.utf8.count * 3 / 2)
        var (position, newWords) = (0, 0)
        Tokenizer.forEachWord(in: post) { word in
            position += 1
            let entry = entries[Key(bytes: word.bytes)]
            if entry == nil, Self.hasStem(word) { missing.insert(word.text) }
            if word.isVocabularyWord, entry?.isInVocabulary != true, newWords < Self.newWordLimit,
                analysis.newWords.insert(word.text).inserted
            {
                newWords += 1
            }
            guard let stem = entry?.stem, !stem.isEmpty, position <= Self.lastPosition else { return }
            // A stem needs no escapes, because it has only letters, marks and digits.
            vector += "'"
            vector += stem
            vector += "':"
            vector += String(position)
            vector += " "
        }
        analysis.vectors.append(vector)
    }

    /// Whether a word can have a stem. A word that is too long has none. It is not cached, because its key could be as
    /// long as a post.
    private static func hasStem(_ word: Tokenizer.Word) -> Bool { word.bytes.count <= longestWord }

    private func loadStems(
        of words: Set<String>, deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) {
        for row in try await database.query(SearchStatements.stems, Array(words), deadline: deadline) {
            let (word, stem) = try row.decode((String, String).self)
            let key = Key(bytes: Array(word.utf8))
            if entries[key] == nil { entries[key] = Entry(stem: stem) }
        }
    }
}
