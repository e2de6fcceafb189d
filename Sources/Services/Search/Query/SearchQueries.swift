internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Searches posts. Replies are cached.
@Loop struct SearchQueries {
    let database: PostgresPool
    let cache: ListCache
    let stemmer: Stemmer

    func posts(_ search: SearchPosts, _ context: HandlerContext) async throws -> Reply {
        let key = "\(search.limit):\(search.page):\(search.query)"
        return .json(try await cache.body(key) { try await page(search).jsonBytes() })
    }

    /// Searches for the words of the search. If no post matches, searches again with similar words in place of the
    /// words that no post has.
    private func page(_ search: SearchPosts) async throws -> Page<SearchHit> {
        let deadline = ContinuousClock.now + .seconds(5)
        let expression = SearchExpression(search.query)
        try await stemmer.load([search.query], deadline: deadline)
        guard let query = TSQuery(expression, stemmer) else { return page([], total: 0, search) }
        var found = try await hits(query, search, deadline)
        if found.total == 0 {
            try await stemmer.load([search.query], deadline: deadline)
            let expansions = try await WordExpansions(for: expression, stemmer, in: database, deadline: deadline)
            for replacements in expansions.attempts where found.total == 0 {
                found = try await hits(expanded(expression, replacements, search, deadline), search, deadline)
            }
        }
        return page(found.hits, total: found.total, search)
    }

    /// Returns the query in which some words are replaced; `nil` if no alternative has a stem that must be present.
    ///
    /// - Parameter replacements: for each word to replace, the words that match in its place.
    private func expanded(
        _ expression: SearchExpression, _ replacements: [String: [String]], _ search: SearchPosts,
        _ deadline: ContinuousClock.Instant
    ) async throws -> TSQuery? {
        try await stemmer.load([search.query] + replacements.values.joined(), deadline: deadline)
        let expansions = replacements.mapValues { words in
            words.compactMap { Tokenizer.words(of: $0).first.map { stemmer[$0] } }.filter { !$0.isEmpty }
        }
        return TSQuery(expression, stemmer, expansions: expansions)
    }

    private func hits(
        _ query: TSQuery?, _ search: SearchPosts, _ deadline: ContinuousClock.Instant
    ) async throws -> (hits: [SearchHit], total: Int) {
        guard let query else { return ([], 0) }
        let rows = try await database.query(
            SearchStatements.search, query.text, search.limit, (search.page - 1) * search.limit, deadline: deadline)
        let total = try rows.first?.get(0, as: Int.self) ?? 0
        // A page without hits is one row with only the total.
        let found = try rows.filter { try $0.get(1, as: UUID?.self) != nil }
        try await stemmer.load(try found.map { try $0.get(4, as: String.self) }, deadline: deadline)
        return (try found.map { try SearchHit($0) { query.highlighted.contains(stemmer[$0]) } }, total)
    }

    private func page(_ hits: [SearchHit], total: Int, _ search: SearchPosts) -> Page<SearchHit> {
        Page(items: hits, limit: search.limit, number: .init(page: search.page, total: total))
    }
}

extension SearchHit {
    /// Decodes a row of ``SearchStatements/search``.
    ///
    /// - Parameter isMatch: returns whether to mark a word in the highlight.
    fileprivate init(_ row: Row, isMatch: (Tokenizer.Word) -> Bool) throws(PostgresError) {
        let (_, id, authorID, authorName, content, createdAt, score) = try row.decode(
            (Int, UUID, UUID, String, String, Timestamp, Double).self)
        self.init(
            id: id, author: Author(id: authorID, username: authorName), content: content,
            createdAt: createdAt, score: score,
            highlight: Highlight.html(content, isMatch: isMatch))
    }
}
