internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Reactor
internal import Redis
internal import WorkerKit

/// The post service's cache in Redis: the reply bodies of single posts and of pages.
@Loop struct PostCache {
    private let posts: EntityCache
    private let pages: ListCache

    /// Makes a cache.
    ///
    /// - Parameter keyPrefix: the beginning of the cache's keys in Redis.
    init(_ redis: RedisClient, _ invalidations: Invalidations, keyPrefix: String = "post") {
        let lifetime = Invalidations.entryLifetime
        posts = EntityCache(
            redis: redis, invalidations: invalidations, name: "\(keyPrefix):entry", lifetime: lifetime)
        pages = ListCache(
            redis: redis, invalidations: invalidations, name: "\(keyPrefix):list", lifetime: lifetime)
    }

    /// Returns the body of a post, with its entity tag, from the cache. If the cache does not have it, reads the body
    /// and stores it.
    ///
    /// - Returns: `nil` if there is no such post.
    func post(_ id: UUID, read: @Loop () async throws -> [UInt8]?) async throws -> TaggedBody? {
        let bytes = try await posts.body(id.text) { try await read().map { TaggedBody($0).bytes } }
        return bytes.map { TaggedBody(bytes: $0) }
    }

    /// Replaces a post's entry with a tombstone, because the post was deleted or has changed.
    func invalidatePost(_ id: UUID) async { await posts.putTombstone(id.text) }

    /// Returns the body of a page from the cache. If the cache does not have it, reads the body and stores it.
    func page(_ query: ListRequest, read: @Loop () async throws -> [UInt8]) async throws -> [UInt8] {
        try await pages.body(key(query), read: read)
    }

    /// Invalidates all pages.
    func invalidatePages() async { await pages.invalidate() }

    private func key(_ query: ListRequest) -> String {
        query.cursor.map { "\(query.limit):after:\($0)" } ?? "\(query.limit):\(query.page ?? 1)"
    }
}

/// A reply body with its entity tag. Both are cached, so that a hit need not hash the body.
struct TaggedBody: Sendable {
    let etag: String
    let body: [UInt8]

    /// Computes the tag of a body.
    init(_ body: [UInt8]) {
        etag = EntityTag.of(body)
        self.body = body
    }

    /// Decodes ``bytes``.
    init(bytes: [UInt8]) {
        etag = String(decoding: bytes.prefix(EntityTag.length), as: UTF8.self)
        body = Array(bytes.dropFirst(EntityTag.length))
    }

    /// The tag, followed by the body.
    var bytes: [UInt8] { Array(etag.utf8) + body }
}
