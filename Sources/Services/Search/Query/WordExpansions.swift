internal import Postgres
internal import Reactor

/// Words of the vocabulary that can replace the unknown words of a search. A word is unknown if no post has it.
struct WordExpansions: Sendable {
    /// The candidates for one unknown word.
    struct Candidates: Sendable, Hashable {
        /// Words that begin with the unknown word, the shortest first.
        var prefixMatches: [String] = []
        /// Words that share trigrams with the unknown word, or differ from it only in two swapped letters.
        var similarWords: [String] = []

        /// Returns the similar words that have at most one typing error per three letters of the word, the closest
        /// first.
        func fuzzyMatches(for word: String) -> [(word: String, errors: Int)] {
            let limit = max(1, word.unicodeScalars.count / 3)
            let matches = similarWords.map { (word: $0, errors: EditDistance.between(word, $0)) }
                .filter { $0.errors <= limit }
            return Array(matches.sorted { $0.errors < $1.errors }.prefix(WordExpansions.fuzzyMatchLimit))
        }

        /// Returns those fuzzy matches that have the fewest typing errors.
        func closestMatches(for word: String) -> [String] {
            let matches = fuzzyMatches(for: word)
            return matches.filter { $0.errors == matches.first?.errors }.map(\.word)
        }
    }

    /// The maximum number of words that are expanded in a search. It is limited because each word costs a lookup in
    /// the index.
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

    /// The replacements to try, in order, until a search finds a post. Each attempt has the replacements of every
    /// unknown word.
    ///
    /// The first attempt has the prefix matches of a word, or its closest matches if the word has no prefix matches.
    /// The second attempt has all prefix matches and fuzzy matches, because the first one can consist of words
    /// whose posts are deleted: the vocabulary keeps these words.
    var attempts: [[String: [String]]] {
        guard !candidates.isEmpty else { return [] }
        var first: [String: [String]] = [:]
        var second: [String: [String]] = [:]
        for (word, found) in candidates {
            first[word] = found.prefixMatches.isEmpty ? found.closestMatches(for: word) : found.prefixMatches
            second[word] =
                found.prefixMatches
                + found.fuzzyMatches(for: word).map(\.word).filter { !found.prefixMatches.contains($0) }
        }
        return first == second ? [first] : [first, second]
    }
}

extension WordExpansions {
    /// Queries the candidates for the unknown words of a search. The lexicon must have loaded the search's words.
    @Loop init(
        for expression: SearchExpression, _ lexicon: Lexicon, in database: PostgresPool, _ survey: IndexSurvey,
        deadline: ContinuousClock.Instant
    ) async throws {
        var (words, queries): ([String], [String]) = ([], [])
        var areFrequent: [Bool] = []
        var (typed, swapped): ([String], [String]) = ([], [])
        for word in expression.expandableWords.filter({ !lexicon[$0].isEmpty }).prefix(Self.wordLimit) {
            words.append(word.text)
            queries.append(TSQuery.quoted(lexicon[word]))
            areFrequent.append(survey.isFrequent(lexicon[word]))
            for transposition in EditDistance.transpositions(of: word.text) {
                typed.append(word.text)
                swapped.append(transposition)
            }
        }
        guard !words.isEmpty else { return }
        let cover = survey.parts.cover
        let rows = try await database.query(
            SearchStatements.expand, words, queries, typed, swapped, cover.buckets, cover.ends,
            areFrequent,
            deadline: deadline)
        for row in rows {
            let (word, candidate, isPrefixMatch) = try row.decode((String, String, Bool).self)
            add(candidate, for: word, isPrefixMatch: isPrefixMatch)
        }
    }
}
