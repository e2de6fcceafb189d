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
        let rows = try await database.query(MediaStatements.get, query.id, caller.id, deadline: deadline)
        guard let row = rows.first else { throw Problem(.mediaNotFound) }
        return .json(try Media(row).jsonBytes())
    }

    func list(_ query: ListRequest, _ context: HandlerContext) async throws -> Reply {
        .json(try await page(query, try context.caller.id).jsonBytes())
    }

    private var deadline: ContinuousClock.Instant { .now + .seconds(5) }

    private func page(_ query: ListRequest, _ owner: UUID) async throws -> Page<Media> {
        if let text = query.cursor {
            let cursor = try KeysetCursor(text)
            let rows = try await database.query(
                MediaStatements.after, owner, query.limit + 1,
                PostgresTimestamp(milliseconds: cursor.time.milliseconds), cursor.id, deadline: deadline)
            return try page(rows, query, number: nil)
        }
        let number = query.page ?? 1
        let count = database.send(MediaStatements.count, owner, deadline: deadline)
        let rows = try await database.query(
            MediaStatements.page, owner, query.limit + 1, (number - 1) * query.limit, deadline: deadline)
        let total = try await count.rows().first?.get(0, as: Int.self) ?? 0
        return try page(rows, query, number: .init(page: number, total: total))
    }

    /// One row more than asked for was read: that there is one says that there is a next page.
    private func page(_ rows: Rows, _ query: ListRequest, number: Page<Media>.Number?) throws -> Page<Media> {
        var media: [Media] = []
        for row in rows.prefix(query.limit) { media.append(try Media(row)) }
        let next = rows.count > query.limit ? media.last : nil
        return Page(
            items: media, limit: query.limit, number: number,
            nextCursor: next.map { KeysetCursor(time: $0.createdAt, id: $0.id).text })
    }
}
