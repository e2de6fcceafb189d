internal import Postgres
internal import Reactor

/// Returns the English stems of words. It queries PostgreSQL's dictionary and caches the stems in memory.
///
/// Most texts need no query, because posts and searches repeat the same words.
@Loop final class Stemmer {
    /// The maximum length of an indexed word, in bytes.
    private static let longestWord = 255
    /// The highest position that a `tsvector` stores.
    private static let lastPosition = 16_383

    private let database: PostgresPool
    private let limit: Int
    /// The stem of each cached word, by the word's bytes. A dictionary keyed by a hash of the word would give a word
    /// the stem of any other word with the same hash, and anyone can compute such words.
    private(set) var stems: [[UInt8]: String] = [:]

    /// Makes a stemmer with an empty cache.
    ///
    /// - Parameter limit: the number of words after which the cache is emptied.
    init(database: PostgresPool, limit: Int = 100_000) {
        self.database = database
        self.limit = limit
    }

    /// The stem of a word that ``load(_:deadline:)`` has loaded; empty for a stop word such as `the`
    /// and for a word of more than 255 bytes.
    subscript(_ word: Tokenizer.Word) -> String { stems[word.bytes] ?? "" }

    /// Loads the stems of all words of some texts into the cache.
    ///
    /// The stems stay in the cache at least until the caller suspends next.
    func load(_ texts: [String], deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        if stems.count > limit { stems.removeAll(keepingCapacity: true) }
        // The loop repeats, because another task may have emptied the cache during the query.
        while true {
            let missing = missingWords(in: texts)
            guard !missing.isEmpty else { return }
            for row in try await database.query(SearchStatements.stems, missing, deadline: deadline) {
                let (word, stem) = try row.decode((String, String).self)
                stems[Array(word.utf8)] = stem
            }
        }
    }

    private func missingWords(in texts: [String]) -> [String] {
        var missing: Set<String> = []
        for text in texts {
            Tokenizer.forEachWord(in: text) { word in
                // A word that is too long has no stem. It is not cached, because its key could be as long as a post.
                guard word.bytes.count <= Self.longestWord, stems[word.bytes] == nil else { return }
                missing.insert(word.text)
            }
        }
        return Array(missing)
    }

    /// Returns the text form of a `tsvector`: the stems of a text with their positions. ``load(_:deadline:)`` must have
    /// loaded the text.
    func vector(of text: String) -> String {
        var vector = ""
        vector.reserveCapacity(text.utf8.count * 3 / 2)
        var position = 0
        Tokenizer.forEachWord(in: text) { word in
            position += 1
            let stem = self[word]
            guard !stem.isEmpty, position <= Self.lastPosition else { return }
            // A stem needs no escapes, because it has only letters, marks and digits.
            vector += "'"
            vector += stem
            vector += "':"
            vector += String(position)
            vector += " "
        }
        return vector
    }
}
