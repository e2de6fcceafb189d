internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Reads single posts and pages of them, from the cache where it has them.
@Loop struct PostQueries {
    let database: PostgresPool
    let cache: PostCache

    func get(_ query: EntityRequest, _ context: HandlerContext) async throws -> Reply {
        let finding = await cache.find(query.id)
        if case .hit(let body) = finding { return .json(body) }
        guard let row = try await database.query(PostStatements.get, query.id, deadline: deadline).first else {
            throw Problem(.postNotFound)
        }
        let body = try Post(row).jsonBytes()
        if case .miss = finding { await cache.fill(query.id, body) }
        return .json(body)
    }

    func list(_ query: ListRequest, _ context: HandlerContext) async throws -> Reply {
        let finding = await cache.findPage(query)
        if case .hit(let body) = finding { return .json(body) }
        let body = try await page(query).jsonBytes()
        if case .miss(let generation) = finding { await cache.storePage(query, body, generation: generation) }
        return .json(body)
    }

    private var deadline: ContinuousClock.Instant { .now + .seconds(5) }

    private func page(_ query: ListRequest) async throws -> Page<Post> {
        if let text = query.cursor {
            let cursor = try KeysetCursor(text)
            let rows = try await database.query(
                PostStatements.after, query.limit + 1, PostgresTimestamp(milliseconds: cursor.time.milliseconds),
                cursor.id, deadline: deadline)
            return try page(rows, query, number: nil)
        }
        let number = query.page ?? 1
        let offset = (number - 1) * query.limit
        let counted = try await database.query(PostStatements.count, deadline: deadline)
        let total = try counted.first?.get(0, as: Int.self) ?? 0
        let place = Page<Post>.Number(page: number, total: total)
        // Past the end nothing is read: a page number alone cannot make the database walk the whole table.
        guard offset == 0 || offset < total else { return Page(items: [], limit: query.limit, number: place) }
        let rows = try await database.query(PostStatements.page, query.limit + 1, offset, deadline: deadline)
        return try page(rows, query, number: place)
    }

    /// One row more than asked for was read: that there is one says that there is a next page.
    private func page(_ rows: Rows, _ query: ListRequest, number: Page<Post>.Number?) throws -> Page<Post> {
        var posts: [Post] = []
        for row in rows.prefix(query.limit) { posts.append(try Post(row)) }
        let next = rows.count > query.limit ? posts.last : nil
        return Page(
            items: posts, limit: query.limit, number: number,
            nextCursor: next.map { KeysetCursor(time: $0.createdAt, id: $0.id).text })
    }
}
