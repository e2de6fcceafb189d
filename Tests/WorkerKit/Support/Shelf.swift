import Contracts
import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

/// A client behind a proxy, and the two caches on it, under names of their own or of another shelf's.
@Loop final class Shelf {
    let redis: RedisClient
    let proxy: FaultProxy
    let pages: ListCache
    let things: EntityCache
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
        redis = RedisClient(address: try RedisAddress(url: url), name: "test", limits: limits, log: quiet)
        invalidations = Invalidations(redis: redis, log: quiet)
        pages = ListCache(redis: redis, invalidations: invalidations, name: name, lifetime: .seconds(60))
        things = EntityCache(redis: redis, invalidations: invalidations, name: name, lifetime: .seconds(60))
    }

    var generationKey: String { "{\(name)}:generation" }

    static func run(name: String? = nil, _ body: @Loop (Shelf) async throws -> Void) async throws {
        let shelf = try name.map { try Shelf(name: $0) } ?? Shelf()
        defer { shelf.proxy.stop() }
        let redis = shelf.redis
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await redis.run() }
            do {
                try #require(await eventually(within: .seconds(20)) { redis.isConnected })
                try await body(shelf)
                _ = try? await redis.send(["DEL", .string(shelf.generationKey)])
            } catch {
                await redis.close()
                throw error
            }
            await redis.close()
        }
    }
}
