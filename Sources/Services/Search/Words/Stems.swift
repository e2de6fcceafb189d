internal import Postgres
internal import Reactor

/// What English makes of words, as PostgreSQL's dictionary says it, as far as this process remembers.
///
/// Posts and searches have the same words over and over: for those that are remembered, nothing is asked.
@Loop final class Stems {
    /// Longer words are found by nobody.
    static let longest = 255

    private let database: PostgresPool
    private let limit: Int
    private var stems: [UInt64: String] = [:]

    /// Makes an empty memory.
    ///
    /// - Parameter limit: how many words it holds before it forgets them all.
    init(database: PostgresPool, limit: Int = 100_000) {
        self.database = database
        self.limit = limit
    }

    /// The stem of a word that was learned just before; empty for a word that says nothing, such as `the`.
    subscript(_ word: WordScanner.Word) -> String { stems[word.hash] ?? "" }

    /// Learns the words of some texts. They are known until the next `await` of whoever asked.
    func learn(_ texts: [String], deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        if stems.count > limit { stems.removeAll(keepingCapacity: true) }
        // Someone else may have made it forget meanwhile.
        while true {
            let unknown = unknown(in: texts)
            guard !unknown.isEmpty else { return }
            for row in try await database.query(SearchStatements.stems, unknown, deadline: deadline) {
                let (word, stem) = try row.decode((String, String).self)
                stems[WordScanner.Word.hash(word.utf8)] = stem
            }
        }
    }

    private func unknown(in texts: [String]) -> [String] {
        var unknown: Set<String> = []
        for text in texts {
            WordScanner.forEachWord(in: text) { word in
                guard stems[word.hash] == nil else { return }
                if word.bytes.count > Self.longest { stems[word.hash] = "" } else { unknown.insert(word.text) }
            }
        }
        return Array(unknown)
    }
}

extension Stems {
    /// A text as PostgreSQL's `tsvector` reads it: each stem with its place. Its words are learned.
    func vector(of text: String) -> String {
        var vector = ""
        vector.reserveCapacity(text.utf8.count * 3 / 2)
        var place = 0
        WordScanner.forEachWord(in: text) { word in
            place += 1
            let stem = self[word]
            guard !stem.isEmpty, place <= Self.places else { return }
            // A stem is letters, marks and digits as its word is: there is nothing in it to escape.
            vector += "'"
            vector += stem
            vector += "':"
            vector += String(place)
            vector += " "
        }
        return vector
    }

    /// The last place that a `tsvector` knows.
    private static var places: Int { 16_383 }
}
