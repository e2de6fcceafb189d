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

/// The search service's handlers for one test, with a database and cache keys of their own.
@Loop final class SearchFixture {
    let database: PostgresPool
    let cache: ListCache
    let survey: IndexSurvey
    private let handlers: ServiceHandlers

    private init(_ database: PostgresPool, _ redis: RedisClient, _ pause: Duration) {
        self.database = database
        cache = ListCache(
            redis: redis, invalidations: Invalidations(redis: redis, log: .quiet),
            name: "search:test:\(UUID.v7().text)", lifetime: .seconds(60), pause: pause)
        survey = IndexSurvey(database: database, log: .quiet)
        handlers = ServiceHandlers(SearchService.handlers(database, cache, survey), database: database)
    }

    /// Runs a test with the handlers.
    ///
    /// - Parameter pause: the shortest time between two refreshes of a cached reply. With zero, each event invalidates
    ///   all replies at once.
    static func with(
        connections: Int = 2, pause: Duration = .zero, _ body: @Loop (SearchFixture) async throws -> Void
    ) async throws {
        // Each test has a database, not only a schema, because the extension pg_trgm belongs to a database.
        try await TestDatabase.withDatabase(of: SearchService.definition, connections: connections) { _, pool in
            try await TestRedis.withClient { redis in try await body(SearchFixture(pool, redis, pause)) }
        }
    }

    /// Runs a closure for each row, with an empty index. All rows have one database, because making one takes long.
    static func forEach<Row: Sendable>(
        _ rows: [Row], _ body: @Loop (SearchFixture, Row) async throws -> Void
    ) async throws {
        try await TestDatabase.withDatabase(of: SearchService.definition, connections: 2) { _, pool in
            try await TestRedis.withClient { redis in
                for row in rows {
                    _ = try await pool.query(Statement("TRUNCATE documents, vocabulary"))
                    try await body(SearchFixture(pool, redis, .zero), row)
                }
            }
        }
    }

    // MARK: Events

    /// Delivers an event.
    func deliver<Data: DomainEvent>(_ data: Data) async throws {
        let message = IncomingMessage(type: Data.type, body: CloudEvent(data: data).jsonBytes())
        #expect(try await handlers.deliver(message) == nil)
    }

    /// Delivers the event of a new post, and returns the post.
    @discardableResult func post(_ content: String, at time: Timestamp = .now()) async throws -> Post {
        let post = Self.post(content, at: time)
        try await deliver(PostCreated(post: post, mediaIds: []))
        return post
    }

    /// Delivers the event of a post's deletion.
    func delete(_ post: Post) async throws {
        try await deliver(PostDeleted(id: post.id, authorId: post.author.id, mediaIds: [], deletedAt: .now()))
    }

    /// Returns a new post.
    nonisolated static func post(_ content: String, at time: Timestamp = .now()) -> Post {
        Post(
            id: .v7(), author: Author(id: .v7(), username: "hazel"), content: content, media: [], createdAt: time)
    }

    /// Adds posts in one statement, without events.
    func add(_ contents: [String], at time: Timestamp = .now()) async throws {
        try await index.add(contents.map { Self.post($0, at: time) })
    }

    /// Adds posts with the content `clover` by SQL, in a random order. The n-th newest post is n times `interval` old.
    func addClover(_ count: Int, every interval: String = "1 minute") async throws {
        let insert = Statement(
            """
            INSERT INTO documents (id, author_id, author_name, content, created_at, words)
            SELECT gen_random_uuid(), gen_random_uuid(), 'hazel', 'clover',
                now() - number * $2::text::interval, 'clover:1'
            FROM generate_series(1, $1::bigint) AS number ORDER BY random()
            """)
        _ = try await database.query(insert, count, interval)
    }

    /// The index with empty caches, as a new worker has it.
    var index: SearchIndex { SearchIndex(database: database, lexicon: Lexicon(database: database)) }

    // MARK: Searches

    /// Searches and returns the reply.
    func ask(_ query: String, limit: Int = 10, page: Int = 1) async throws -> Reply {
        let search = SearchPosts(query: query, limit: limit, page: page)
        let message = IncomingMessage(type: Messages.Search.posts.name, body: search.jsonBytes())
        return try #require(try await handlers.deliver(message))
    }

    /// Searches and returns the decoded page.
    func search(_ query: String, limit: Int = 10, page: Int = 1) async throws -> Page<SearchHit> {
        let reply = try await ask(query, limit: limit, page: page)
        try #require(reply.status == 200)
        return try SearchHit.pageSchema.decode(JSON.parse(reply.body, limits: .trusted))
    }

    /// Searches and returns the contents of the first 100 hits, the best first.
    func found(_ query: String) async throws -> [String] {
        try await search(query, limit: 100).items.map(\.content)
    }
}
