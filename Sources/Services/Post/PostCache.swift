internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Reactor
internal import Redis
internal import WorkerKit

/// What the post service keeps in Redis: single posts and pages, as the bodies of the replies that show them.
@Loop struct PostCache {
    private let posts: EntityCache
    private let pages: ListCache
    /// For so long it may show what is gone where a worker was killed that still owed Redis an invalidation.
    private static let lifetime = Duration.seconds(60)

    /// - Parameter root: what the names of its keys begin with.
    init(_ redis: RedisClient, root: String = "post", log: Logger) {
        let invalidations = Invalidations(redis: redis, log: log)
        posts = EntityCache(redis: redis, invalidations: invalidations, name: "\(root):one", lifetime: Self.lifetime)
        pages = ListCache(redis: redis, invalidations: invalidations, name: "\(root):list", lifetime: Self.lifetime)
    }

    /// A post's body; nothing where there is no such post.
    func post(_ id: UUID, read: @Loop () async throws -> [UInt8]?) async throws -> [UInt8]? {
        try await posts.body(id.text, read: read)
    }

    /// Keeps a post from being cached for a while: it is gone, or shows something else now.
    func bury(_ id: UUID) async { await posts.bury(id.text) }

    /// A page's body.
    func page(_ query: ListRequest, read: @Loop () async throws -> [UInt8]) async throws -> [UInt8] {
        try await pages.body(key(query), read: read)
    }

    func invalidatePages() async { await pages.invalidate() }

    private func key(_ query: ListRequest) -> String {
        query.cursor.map { "\(query.limit):after:\($0)" } ?? "\(query.limit):\(query.page ?? 1)"
    }
}
