internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Answers searches, from the cache where it has them.
@Loop struct SearchQueries {
    let database: PostgresPool
    let cache: ListCache

    func posts(_ search: SearchPosts, _ context: HandlerContext) async throws -> Reply {
        let key = "\(search.limit):\(search.page):\(search.query)"
        let finding = await cache.find(key)
        if case .hit(let body) = finding { return .json(body) }
        let body = try await page(search).jsonBytes()
        if case .miss(let generation) = finding { await cache.store(key, body, generation: generation) }
        return .json(body)
    }

    private var deadline: ContinuousClock.Instant { .now + .seconds(5) }

    private func page(_ search: SearchPosts) async throws -> Page<SearchHit> {
        let words = try await hits(SearchStatements.byWords, search)
        if words.total > 0 { return page(words, search) }
        let counted = try await database.query(SearchStatements.countByWords, search.query, deadline: deadline)
        let total = try counted.first?.get(0, as: Int.self) ?? 0
        if total > 0 { return page(([], total), search) }
        return page(try await hits(SearchStatements.byTrigrams, search), search)
    }

    private func hits(_ statement: Statement, _ search: SearchPosts) async throws -> (hits: [SearchHit], total: Int) {
        let offset = (search.page - 1) * search.limit
        let rows = try await database.query(statement, search.query, search.limit, offset, deadline: deadline)
        var hits: [SearchHit] = []
        for row in rows { hits.append(try SearchHit(row)) }
        return (hits, try rows.first?.get(7, as: Int.self) ?? 0)
    }

    private func page(_ found: (hits: [SearchHit], total: Int), _ search: SearchPosts) -> Page<SearchHit> {
        Page(items: found.hits, limit: search.limit, number: .init(page: search.page, total: found.total))
    }
}

extension SearchHit {
    /// Reads a row of the columns that every search selects.
    fileprivate init(_ row: Row) throws(PostgresError) {
        let (id, authorID, authorName, content, createdAt, score, headline) = try row.decode(
            (UUID, UUID, String, String, PostgresTimestamp, Double, String).self)
        self.init(
            id: id, author: Author(id: authorID, username: authorName), content: content,
            createdAt: Timestamp(milliseconds: createdAt.milliseconds), score: score,
            highlight: Highlight.html(headline))
    }
}
