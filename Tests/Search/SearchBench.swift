import Contracts
import DatabaseSupport
import FoundationEssentials
import Logging
import Postgres
import Reactor
import Redis
import TestSupport
import Testing

@testable import SearchService
@testable import WorkerKit

/// The search service's handlers on a database of their own on the real server, and on Redis under a name of their own,
/// called as the kit calls them.
@Loop final class SearchBench {
    let database: PostgresPool
    let cache: ListCache
    private let handlers: [String: Handler]

    private init(_ database: PostgresPool, _ redis: RedisClient) {
        let cache = ListCache(
            redis: redis, invalidations: Invalidations(redis: redis, log: Self.log),
            name: "search:test:\(UUID.v7().text)", lifetime: .seconds(60))
        self.database = database
        self.cache = cache
        handlers = Dictionary(
            uniqueKeysWithValues: SearchService.handlers(database, cache).map { ($0.type, $0) })
    }

    static let log: Logger = {
        var log = Logger(label: "test")
        log.logLevel = .critical
        return log
    }()

    /// Runs a test with the handlers, on a database that is dropped afterwards.
    static func with(connections: Int = 2, _ body: @Loop (SearchBench) async throws -> Void) async throws {
        try await TestDatabase.withDatabase { url in
            try await Migrator(url: url, log: log).migrate(KitMigrations.all + SearchService.definition.migrations)
            try await TestDatabase.withPool(url, size: connections) { pool in
                let address = try RedisAddress(url: TestEnvironment.value("WARREN_TEST_REDIS_URL"))
                let redis = RedisClient(address: address, name: "search tests", log: log)
                async let running: Void = redis.run()
                do {
                    try #require(await eventually { redis.isConnected })
                    try await body(SearchBench(pool, redis))
                } catch {
                    await redis.close()
                    throw error
                }
                await redis.close()
                await running
            }
        }
    }

    // MARK: Events

    /// Delivers an event.
    func deliver<Data: DomainEvent>(_ data: Data) async throws {
        let message = IncomingMessage(type: Data.type, body: CloudEvent(data: data).jsonBytes())
        let handler = try #require(handlers[Data.type])
        #expect(try await handler.reply(to: message, in: database, log: Self.log) == nil)
    }

    /// Has someone post something.
    @discardableResult func post(_ content: String, at time: Timestamp = .now()) async throws -> Post {
        let post = Self.post(content, at: time)
        try await deliver(PostCreated(post: post, mediaIds: []))
        return post
    }

    /// Has the author delete a post.
    func delete(_ post: Post) async throws {
        try await deliver(PostDeleted(id: post.id, authorId: post.author.id, mediaIds: [], deletedAt: .now()))
    }

    nonisolated static func post(_ content: String, at time: Timestamp = .now()) -> Post {
        Post(
            id: .v7(), author: Author(id: .v7(), username: "hazel"), content: content, media: [], createdAt: time)
    }

    // MARK: Searches

    /// Searches, and gives the reply as it is.
    func ask(_ query: String, limit: Int = 10, page: Int = 1) async throws -> Reply {
        let search = SearchPosts(query: query, limit: limit, page: page)
        let message = IncomingMessage(type: Messages.Search.posts.name, body: search.jsonBytes())
        let handler = try #require(handlers[message.type])
        return try #require(try await handler.reply(to: message, in: database, log: Self.log))
    }

    func search(_ query: String, limit: Int = 10, page: Int = 1) async throws -> Page<SearchHit> {
        let reply = try await ask(query, limit: limit, page: page)
        try #require(reply.status == 200)
        return try SearchHit.pageSchema.decode(JSON.parse(reply.body, limits: .trusted))
    }

    /// The contents that a search finds, the best first.
    func found(_ query: String) async throws -> [String] {
        try await search(query, limit: 100).items.map(\.content)
    }

    /// Another worker's index.
    var index: SearchIndex { SearchIndex(database: database, stems: Stems(database: database)) }

    func count(_ sql: String) async throws -> Int {
        try await database.query(Statement(sql))[0].get(0, as: Int.self)
    }
}
