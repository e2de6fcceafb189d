internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Reads single posts and pages through the cache.
@Loop struct PostQueries {
    let database: PostgresPool
    let cache: PostCache

    func get(_ query: EntityRequest, _ context: HandlerContext) async throws -> Reply {
        let post = try await cache.post(query.id) {
            let rows = try await database.query(PostStatements.get, query.id, deadline: newDeadline())
            return try rows.first.map { row in try Post(row).jsonBytes() }
        }
        guard let post else { throw Problem(.postNotFound) }
        return .json(post.body, etag: post.etag)
    }

    func list(_ query: ListRequest, _ context: HandlerContext) async throws -> Reply {
        // The cursor is validated before the cache is read, because its text becomes part of the cache key.
        let cursor = try query.cursor.map { text throws(Problem) in try KeysetCursor(text) }
        return .json(try await cache.page(query) { try await page(query, cursor).jsonBytes() })
    }

    /// Returns the deadline of a statement that is sent now.
    private func newDeadline() -> ContinuousClock.Instant { .now + .seconds(5) }

    private func page(_ query: ListRequest, _ cursor: KeysetCursor?) async throws -> Page<Post> {
        if let cursor {
            let rows = try await database.query(
                PostStatements.after, query.rowLimit, cursor.time,
                cursor.id, deadline: newDeadline())
            return try Page(rows, of: query, number: nil)
        }
        let number = query.page ?? 1
        let offset = (number - 1) * query.limit
        let counted = database.send(PostStatements.count, deadline: newDeadline())
        // The first page is read in one round trip with the count. A page after the end is not read, because the
        // database would have to scan the whole table to skip its offset.
        let firstRows = offset == 0 ? rows(query, offset) : nil
        let total = try await counted.rows().first?.get(0, as: Int.self) ?? 0
        let position = Page<Post>.Position(page: number, total: total)
        if let firstRows { return try Page(try await firstRows.rows(), of: query, number: position) }
        guard offset < total else { return Page(items: [], limit: query.limit, number: position) }
        return try Page(try await rows(query, offset).rows(), of: query, number: position)
    }

    private func rows(_ query: ListRequest, _ offset: Int) -> PendingQuery {
        database.send(PostStatements.page, query.rowLimit, offset, deadline: newDeadline())
    }
}
