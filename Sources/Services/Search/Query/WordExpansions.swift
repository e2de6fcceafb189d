internal import Postgres
internal import Reactor

/// Words of the vocabulary that are similar to the words of a search. Posts with similar words are listed below those
/// with the words of the search.
struct WordExpansions: Sendable {
    /// The words that are similar to one word.
    struct Candidates: Sendable, Hashable {
        /// Words that begin with the word, the shortest first.
        var prefixMatches: [String] = []
        /// Words that share trigrams with the word, or differ from it only in two swapped letters.
        var similarWords: [String] = []

        /// Returns the similar words that have at most one typing error per three letters of the word, the closest
        /// first.
        func fuzzyMatches(for word: String) -> [(word: String, errors: Int)] {
            let limit = max(1, word.unicodeScalars.count / 3)
            let matches = similarWords.map { (word: $0, errors: EditDistance.between(word, $0)) }
                .filter { $0.errors <= limit }
            return Array(matches.sorted { $0.errors < $1.errors }.prefix(WordExpansions.fuzzyMatchLimit))
        }
    }

    /// The maximum number of words that are expanded in a search. It is limited because each word costs a lookup in
    /// the vocabulary.
    private static let wordLimit = 8
    private static let fuzzyMatchLimit = 8

    /// The candidates by the folded word.
    private var candidates: [String: Candidates] = [:]
    /// The folded form of each word that was typed.
    private var folded: [String: String] = [:]

    private mutating func add(_ candidate: String, for word: String, isPrefixMatch: Bool) {
        if isPrefixMatch {
            candidates[word, default: Candidates()].prefixMatches.append(candidate)
        } else if candidates[word]?.similarWords.contains(candidate) != true {
            candidates[word, default: Candidates()].similarWords.append(candidate)
        }
    }

    /// For each word, the words that begin with it.
    var prefixMatches: [String: [String]] { matches { _, candidates in candidates.prefixMatches } }

    /// For each word, the words that begin with it, and those that have few typing errors.
    var all: [String: [String]] {
        matches { word, candidates in
            let fuzzy = candidates.fuzzyMatches(for: word).map(\.word)
            return candidates.prefixMatches + fuzzy.filter { !candidates.prefixMatches.contains($0) }
        }
    }

    private func matches(_ words: (String, Candidates) -> [String]) -> [String: [String]] {
        folded.compactMapValues { word in
            candidates[word].map { words(word, $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
    }
}

extension WordExpansions {
    /// Queries the words that are similar to the expandable words of a search. The entries of the search must be
    /// loaded.
    @Loop init(
        for expression: SearchExpression, _ entries: Lexicon.Entries, in database: PostgresPool,
        deadline: ContinuousClock.Instant
    ) async throws {
        for word in expression.expandableWords {
            guard folded.count < Self.wordLimit, let entry = entries[word.bytes], !entry.isStopWord else { continue }
            folded[word.text] = entry.folded
        }
        let words = Set(folded.values).filter { !$0.isEmpty }
        guard !words.isEmpty else { return }
        let swaps = words.flatMap { word in EditDistance.transpositions(of: word).map { (word, $0) } }
        let rows = try await database.query(
            SearchStatements.expand, Array(words), swaps.map(\.0), swaps.map(\.1), deadline: deadline)
        for row in rows {
            let (word, candidate, isPrefixMatch) = try row.decode((String, String, Bool).self)
            add(candidate, for: word, isPrefixMatch: isPrefixMatch)
        }
    }
}
