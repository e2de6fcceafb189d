import Contracts
import DatabaseSupport
import FaultProxy
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

    /// - Parameters:
    ///   - name: the name of the caches.
    ///   - server: the URL of the Redis server; by default the server of all tests.
    ///   - timeout: the timeout of commands.
    ///   - handover: passes failed invalidations on.
    init(
        name: String = "kit:" + UUID().text, server: String? = nil, timeout: Duration = .seconds(10),
        handover: InvalidationHandover? = nil
    ) throws {
        self.name = name
        let (url, proxy) = try Self.redirect(server)
        self.proxy = proxy
        var limits = RedisLimits()
        limits.timeout = timeout
        limits.connectTimeout = .seconds(10)
        limits.silence = .seconds(20)
        redis = RedisClient(
            address: try RedisAddress(url: url), name: "test", limits: limits, identifiesServer: true, log: .quiet)
        invalidations = Invalidations(redis: redis, handover: handover, log: .quiet)
        pages = ListCache(redis: redis, invalidations: invalidations, name: name, lifetime: .seconds(60))
        entities = EntityCache(redis: redis, invalidations: invalidations, name: name, lifetime: .seconds(60))
    }

    var generationKey: String { CacheKey.generation(of: name, redis.serverID) }

    func entityKey(_ id: String) -> String { CacheKey.entity(id, of: name, redis.serverID) }

    /// Puts a proxy between the client and the server.
    private static func redirect(_ server: String?) throws -> (String, FaultProxy) {
        guard let server else {
            return try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) { try FaultProxy(to: $0) }
        }
        let proxy = try FaultProxy(to: RedisAddress(url: server).port)
        return ("redis://127.0.0.1:\(proxy.port)", proxy)
    }

    static func run(
        name: String = "kit:" + UUID().text, server: String? = nil, timeout: Duration = .seconds(10),
        handover: InvalidationHandover? = nil, _ body: @Loop (CacheFixture) async throws -> Void
    ) async throws {
        let fixture = try CacheFixture(name: name, server: server, timeout: timeout, handover: handover)
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
    func entityLookup(_ id: String) async -> String { await lookup(entityKey(id)) }

    /// Returns a page's content in Redis under the current generation; `reserved` if a reader has reserved the key,
    /// `miss` if there is no content, `unavailable` if Redis is not available.
    func pageLookup(_ page: String) async -> String {
        switch try? await redis.send(["GET", .string(generationKey)]) {
        case .bytes(let generation):
            await lookup(
                CacheKey.pages(of: name, redis.serverID) + "\(String(decoding: generation, as: UTF8.self)):\(page)")
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
