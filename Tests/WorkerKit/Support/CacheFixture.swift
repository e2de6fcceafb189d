import Contracts
import DatabaseSupport
import FoundationEssentials
import Logging
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

/// A Redis client behind a proxy, with an entity cache and a list cache. Two fixtures with the same name are like two
/// processes that share the caches.
@Loop final class CacheFixture {
    let redis: RedisClient
    let proxy: FaultProxy
    let pages: ListCache
    let entities: EntityCache
    let invalidations: Invalidations
    let name: String

    init(name: String = "kit:" + UUID().text) throws {
        self.name = name
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
            try FaultProxy(to: $0)
        }
        self.proxy = proxy
        var limits = RedisLimits()
        limits.timeout = .seconds(10)
        limits.connectTimeout = .seconds(10)
        limits.silence = .seconds(20)
        redis = RedisClient(address: try RedisAddress(url: url), name: "test", limits: limits, log: .quiet)
        invalidations = Invalidations(redis: redis, log: .quiet)
        pages = ListCache(redis: redis, invalidations: invalidations, name: name, lifetime: .seconds(60))
        entities = EntityCache(redis: redis, invalidations: invalidations, name: name, lifetime: .seconds(60))
    }

    var generationKey: String { "{\(name)}:generation" }

    static func run(name: String? = nil, _ body: @Loop (CacheFixture) async throws -> Void) async throws {
        let fixture = try name.map { try CacheFixture(name: $0) } ?? CacheFixture()
        defer { fixture.proxy.stop() }
        let redis = fixture.redis
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await redis.run() }
            do {
                try #require(await eventually(within: .seconds(20)) { redis.isConnected })
                try await body(fixture)
                _ = try? await redis.send(["DEL", .string(fixture.generationKey)])
            } catch {
                await redis.close()
                throw error
            }
            await redis.close()
        }
    }

    /// Reads an entity through the cache, with the given content in the database. Returns the content that the reader
    /// gets.
    @discardableResult func entity(_ id: String, inDatabase content: String?) async throws -> String? {
        try await entities.body(id) { content.map { Array($0.utf8) } }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads a page through the cache, with the given content in the database. Returns the content that the reader
    /// gets.
    @discardableResult func page(_ page: String, inDatabase content: String) async throws -> String {
        String(decoding: try await pages.body(page) { Array(content.utf8) }, as: UTF8.self)
    }

    /// Looks an entity up in the cache. Returns its content, `miss` or `unavailable`.
    func entityLookup(_ id: String) async -> String { text(await entities.lookUp(id)) }

    /// Looks a page up in the cache. Returns its content, `miss` or `unavailable`.
    func pageLookup(_ page: String) async -> String { text(await pages.lookUp(page)) }

    private func text(_ lookup: CacheLookup) -> String {
        switch lookup {
        case .hit(let bytes): String(decoding: bytes, as: UTF8.self)
        case .miss: "miss"
        case .unavailable: "unavailable"
        }
    }
}
