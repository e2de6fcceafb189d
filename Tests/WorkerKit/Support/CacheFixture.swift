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

    /// Returns an entity's content in Redis; `reserved` if a reader has reserved the key, `miss` if there is no
    /// content, `unavailable` if there is a tombstone or Redis is not available.
    func entityLookup(_ id: String) async -> String { await lookup("\(name):\(id)") }

    /// Returns a page's content in Redis under the current generation; `reserved` if a reader has reserved the key,
    /// `miss` if there is no content, `unavailable` if Redis is not available.
    func pageLookup(_ page: String) async -> String {
        switch try? await redis.send(["GET", .string(generationKey)]) {
        case .bytes(let generation):
            await lookup("{\(name)}:page:\(String(decoding: generation, as: UTF8.self)):\(page)")
        case .null: "miss"
        default: "unavailable"
        }
    }

    /// Runs a test while Redis refuses this client's writes, as a replica refuses all writes. Ends the client's
    /// connection afterwards.
    func withoutWrites(_ body: @Loop () async throws -> Void) async throws {
        let user = RedisArgument.string("test-" + UUID().text)
        _ = try await redis.send(["ACL", "SETUSER", user, "on", "nopass", "~*", "+@all", "-@write"])
        _ = try await redis.send(["AUTH", user, "any password"])
        try await body()
        // Redis closes this connection, because its user no longer exists. The command then has no reply.
        _ = try? await redis.send(["ACL", "DELUSER", user])
    }

    private func lookup(_ key: String) async -> String {
        switch try? await redis.send(["GET", .string(key)]) {
        case .bytes(let bytes) where bytes.isEmpty: "unavailable"
        case .bytes(let bytes): bytes[0] == 0 ? "reserved" : String(decoding: bytes, as: UTF8.self)
        case .null: "miss"
        default: "unavailable"
        }
    }
}
