internal import Postgres
internal import Reactor

/// What the words of a search that no post has may have been meant to be.
struct Suggestions: Sendable {
    /// What one word may have been meant to be.
    struct Guess: Sendable, Hashable {
        /// Words that begin with it, the shortest ones.
        var beginnings: [String] = []
        /// Words that share trigrams with it, or are it with two letters swapped.
        var similar: [String] = []

        /// Those of the similar ones that are no more typing errors away than one for every three letters, by their errors.
        func near(to word: String) -> [(word: String, errors: Int)] {
            let limit = max(1, word.unicodeScalars.count / 3)
            let near = similar.map { (word: $0, errors: TypingErrors.between(word, $0)) }.filter { $0.errors <= limit }
            return Array(near.sorted { $0.errors < $1.errors }.prefix(Suggestions.nearLimit))
        }

        /// Those that are the fewest typing errors away.
        func nearest(to word: String) -> [String] {
            let near = near(to: word)
            return near.filter { $0.errors == near.first?.errors }.map(\.word)
        }
    }

    /// The most words of a search that are looked after; each may cost a walk through the posts that have it.
    static let wordLimit = 8
    private static let nearLimit = 8

    private var guesses: [String: Guess] = [:]

    /// Adds a word that may have been meant.
    mutating func add(_ word: String, for typed: String, isBeginning: Bool) {
        if isBeginning {
            guesses[typed, default: Guess()].beginnings.append(word)
        } else if guesses[typed]?.similar.contains(word) != true {
            guesses[typed, default: Guess()].similar.append(word)
        }
    }

    /// What to replace the words by, one attempt after the other, as long as nothing is found.
    ///
    /// First each is taken for the beginning of words or, where no word begins with it, for the nearest ones; then for
    /// all that it may have been, since words outlive the posts that had them.
    var attempts: [[String: [String]]] {
        guard !guesses.isEmpty else { return [] }
        var first: [String: [String]] = [:]
        var second: [String: [String]] = [:]
        for (word, guess) in guesses {
            let nearest = guess.nearest(to: word)
            first[word] = guess.beginnings.isEmpty ? nearest : guess.beginnings
            second[word] = guess.beginnings + guess.near(to: word).map(\.word).filter { !guess.beginnings.contains($0) }
        }
        return first == second ? [first] : [first, second]
    }
}

extension Suggestions {
    /// Looks for the words of a search that no post has, and for what they may have been meant to be.
    @Loop init(
        for expression: SearchExpression, _ stems: Stems, in database: PostgresPool, deadline: ContinuousClock.Instant
    ) async throws {
        var (words, queries): ([String], [String]) = ([], [])
        var (typed, swapped): ([String], [String]) = ([], [])
        for word in expression.plainWords.filter({ !stems[$0].isEmpty }).prefix(Self.wordLimit) {
            words.append(word.text)
            queries.append(TextQuery.quoted(stems[word]))
            for swap in TypingErrors.swaps(of: word.text) {
                typed.append(word.text)
                swapped.append(swap)
            }
        }
        guard !words.isEmpty else { return }
        let rows = try await database.query(
            SearchStatements.suggest, words, queries, typed, swapped, deadline: deadline)
        for row in rows {
            let (word, other, isBeginning) = try row.decode((String, String, Bool).self)
            add(other, for: word, isBeginning: isBeginning)
        }
    }
}
