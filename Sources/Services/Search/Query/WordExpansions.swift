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

    private var candidates: [String: Candidates] = [:]

    private mutating func add(_ candidate: String, for word: String, isPrefixMatch: Bool) {
        if isPrefixMatch {
            candidates[word, default: Candidates()].prefixMatches.append(candidate)
        } else if candidates[word]?.similarWords.contains(candidate) != true {
            candidates[word, default: Candidates()].similarWords.append(candidate)
        }
    }

    /// For each word, the words that begin with it.
    var prefixMatches: [String: [String]] { candidates.mapValues(\.prefixMatches).filter { !$0.value.isEmpty } }

    /// For each word, the words that begin with it, and those that have few typing errors.
    var all: [String: [String]] {
        var all: [String: [String]] = [:]
        for (word, found) in candidates {
            let words = found.prefixMatches + found.fuzzyMatches(for: word).map(\.word)
            var seen: Set<String> = []
            all[word] = words.filter { seen.insert($0).inserted }
        }
        return all.filter { !$0.value.isEmpty }
    }
}

extension WordExpansions {
    /// Queries the words that are similar to the expandable words of a search. The lexicon must have loaded the search.
    @Loop init(
        for expression: SearchExpression, _ lexicon: Lexicon, in database: PostgresPool,
        deadline: ContinuousClock.Instant
    ) async throws {
        var typed: [(word: String, folded: String)] = []
        var (swappedFrom, swapped): ([String], [String]) = ([], [])
        for word in expression.expandableWords {
            guard typed.count < Self.wordLimit, let entry = lexicon[word.bytes], !entry.isStopWord else { continue }
            typed.append((word.text, entry.folded))
            for transposition in EditDistance.transpositions(of: entry.folded) {
                swappedFrom.append(entry.folded)
                swapped.append(transposition)
            }
        }
        guard !typed.isEmpty else { return }
        let rows = try await database.query(
            SearchStatements.expand, typed.map(\.folded), swappedFrom, swapped, deadline: deadline)
        for row in rows {
            let (folded, candidate, isPrefixMatch) = try row.decode((String, String, Bool).self)
            for (word, itsFolded) in typed where itsFolded == folded {
                add(candidate, for: word, isPrefixMatch: isPrefixMatch)
            }
        }
    }
}
