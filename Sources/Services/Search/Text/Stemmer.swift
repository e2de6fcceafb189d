internal import Postgres
internal import Reactor

/// Returns the English stems of words, from PostgreSQL's dictionary through a cache in memory.
///
/// Posts and searches repeat the same words, so most texts need no query.
@Loop final class Stemmer {
    /// Longer words, in bytes, are not indexed.
    private static let longestWord = 255
    /// The highest position that a `tsvector` stores.
    private static let lastPosition = 16_383

    private let database: PostgresPool
    private let limit: Int
    private var stems: [UInt64: String] = [:]

    /// Makes a stemmer with an empty cache.
    ///
    /// - Parameter limit: the number of words after which the cache is emptied.
    init(database: PostgresPool, limit: Int = 100_000) {
        self.database = database
        self.limit = limit
    }

    /// The stem of a word that ``load(_:deadline:)`` has loaded; empty for a stop word such as `the`.
    subscript(_ word: Tokenizer.Word) -> String { stems[word.hash] ?? "" }

    /// Loads the stems of all words of some texts.
    ///
    /// They stay in the cache at least until the caller's next suspension.
    func load(_ texts: [String], deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        if stems.count > limit { stems.removeAll(keepingCapacity: true) }
        // Repeats, because another task may have emptied the cache during the query.
        while true {
            let missing = missingWords(in: texts)
            guard !missing.isEmpty else { return }
            for row in try await database.query(SearchStatements.stems, missing, deadline: deadline) {
                let (word, stem) = try row.decode((String, String).self)
                stems[Tokenizer.Word.hash(word.utf8)] = stem
            }
        }
    }

    private func missingWords(in texts: [String]) -> [String] {
        var missing: Set<String> = []
        for text in texts {
            Tokenizer.forEachWord(in: text) { word in
                guard stems[word.hash] == nil else { return }
                if word.bytes.count > Self.longestWord { stems[word.hash] = "" } else { missing.insert(word.text) }
            }
        }
        return Array(missing)
    }

    /// Returns the `tsvector` of a loaded text as PostgreSQL reads it: each stem with its position.
    func vector(of text: String) -> String {
        var vector = ""
        vector.reserveCapacity(text.utf8.count * 3 / 2)
        var position = 0
        Tokenizer.forEachWord(in: text) { word in
            position += 1
            let stem = self[word]
            guard !stem.isEmpty, position <= Self.lastPosition else { return }
            // Needs no escapes, because a stem has only letters, marks and digits.
            vector += "'"
            vector += stem
            vector += "':"
            vector += String(position)
            vector += " "
        }
        return vector
    }
}
