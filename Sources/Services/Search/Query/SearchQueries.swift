internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Answers searches, from the cache where it has them.
@Loop struct SearchQueries {
    let database: PostgresPool
    let cache: ListCache
    let stems: Stems

    func posts(_ search: SearchPosts, _ context: HandlerContext) async throws -> Reply {
        let key = "\(search.limit):\(search.page):\(search.query)"
        let finding = await cache.find(key)
        if case .hit(let body) = finding { return .json(body) }
        let body = try await page(search).jsonBytes()
        if case .miss(let generation) = finding { await cache.store(key, body, generation: generation) }
        return .json(body)
    }

    /// Searches for what was typed and, where nothing has it, for what may have been meant.
    private func page(_ search: SearchPosts) async throws -> Page<SearchHit> {
        let deadline = ContinuousClock.now + .seconds(5)
        let expression = SearchExpression(search.query)
        try await stems.learn([search.query], deadline: deadline)
        guard let query = TextQuery(expression, stems) else { return page([], total: 0, search) }
        var found = try await hits(query, search, deadline)
        if found.total == 0 {
            try await stems.learn([search.query], deadline: deadline)
            let suggestions = try await Suggestions(for: expression, stems, in: database, deadline: deadline)
            for words in suggestions.attempts where found.total == 0 {
                found = try await hits(widened(expression, words, search, deadline), search, deadline)
            }
        }
        return page(found.hits, total: found.total, search)
    }

    /// The query with some words replaced.
    private func widened(
        _ expression: SearchExpression, _ words: [String: [String]], _ search: SearchPosts,
        _ deadline: ContinuousClock.Instant
    ) async throws -> TextQuery? {
        try await stems.learn([search.query] + words.values.joined(), deadline: deadline)
        let widened = words.mapValues { others in
            others.compactMap { WordScanner.words(of: $0).first.map { stems[$0] } }.filter { !$0.isEmpty }
        }
        return TextQuery(expression, stems, widened: widened)
    }

    private func hits(
        _ query: TextQuery?, _ search: SearchPosts, _ deadline: ContinuousClock.Instant
    ) async throws -> (hits: [SearchHit], total: Int) {
        guard let query else { return ([], 0) }
        let rows = try await database.query(
            SearchStatements.search, query.text, search.limit, (search.page - 1) * search.limit, deadline: deadline)
        let total = try rows.first?.get(0, as: Int.self) ?? 0
        // Where the page has no hit, one row has the total alone.
        let found = try rows.filter { try $0.get(1, as: UUID?.self) != nil }
        try await stems.learn(try found.map { try $0.get(4, as: String.self) }, deadline: deadline)
        return (try found.map { try SearchHit($0) { query.marks.contains(stems[$0]) } }, total)
    }

    private func page(_ hits: [SearchHit], total: Int, _ search: SearchPosts) -> Page<SearchHit> {
        Page(items: hits, limit: search.limit, number: .init(page: search.page, total: total))
    }
}

extension SearchHit {
    /// Reads a row of the columns that every search selects.
    ///
    /// - Parameter isFound: whether a word is marked.
    fileprivate init(_ row: Row, isFound: (WordScanner.Word) -> Bool) throws(PostgresError) {
        let (_, id, authorID, authorName, content, createdAt, score) = try row.decode(
            (Int, UUID, UUID, String, String, PostgresTimestamp, Double).self)
        self.init(
            id: id, author: Author(id: authorID, username: authorName), content: content,
            createdAt: Timestamp(milliseconds: createdAt.milliseconds), score: score,
            highlight: Highlight.html(content, isFound: isFound))
    }
}
