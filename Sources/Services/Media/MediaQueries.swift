internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Reads the caller's media.
@Loop struct MediaQueries {
    let database: PostgresPool

    func get(_ query: EntityRequest, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let rows = try await database.query(MediaStatements.get, query.id, caller.id, deadline: newDeadline())
        guard let row = rows.first else { throw Problem(.mediaNotFound) }
        let body = try Media(row).jsonBytes()
        return .json(body, etag: EntityTag.of(body))
    }

    func list(_ query: ListRequest, _ context: HandlerContext) async throws -> Reply {
        .json(try await page(query, try context.caller.id).jsonBytes())
    }

    /// Returns the deadline of a statement that is sent now.
    private func newDeadline() -> ContinuousClock.Instant { .now + .seconds(5) }

    private func page(_ query: ListRequest, _ owner: UUID) async throws -> Page<Media> {
        if let text = query.cursor {
            let cursor = try KeysetCursor(text)
            let rows = try await database.query(
                MediaStatements.after, owner, query.rowLimit,
                cursor.time, cursor.id, deadline: newDeadline())
            return try Page(rows, of: query, number: nil)
        }
        let number = query.page ?? 1
        let count = database.send(MediaStatements.count, owner, deadline: newDeadline())
        let rows = try await database.query(
            MediaStatements.page, owner, query.rowLimit, (number - 1) * query.limit, deadline: newDeadline())
        let total = try await count.rows().first?.get(0, as: Int.self) ?? 0
        return try Page(rows, of: query, number: .init(page: number, total: total))
    }
}
