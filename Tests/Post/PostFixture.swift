import Contracts
import DatabaseSupport
import FaultProxy
import FoundationEssentials
import Logging
import Postgres
import Reactor
import Redis
import TestSupport
import Testing

@testable import PostService
@testable import WorkerKit

/// One or more workers of the post service for one test, with a database schema and cache keys of their own.
@Loop final class PostFixture {
    /// The handlers of one worker, with a connection to Redis and the proxy through which the connection goes.
    @Loop final class Worker {
        let redis: RedisClient
        let proxy: FaultProxy
        fileprivate let handlers: ServiceHandlers

        fileprivate init(_ database: PostgresPool, keyPrefix: String) throws {
            let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
                try FaultProxy(to: $0)
            }
            var limits = RedisLimits()
            limits.timeout = .seconds(2)
            redis = RedisClient(address: try RedisAddress(url: url), name: "test", limits: limits, log: .quiet)
            self.proxy = proxy
            let cache = PostCache(redis, Invalidations(redis: redis, log: .quiet), keyPrefix: keyPrefix)
            handlers = ServiceHandlers(
                PostService.handlers(database, cache, retention: .seconds(3600)), database: database)
        }
    }

    let database: PostgresPool
    let workers: [Worker]
    private let keyPrefix = "post-test:" + UUID().text

    private init(_ database: PostgresPool, workers: Int) throws {
        self.database = database
        let keyPrefix = keyPrefix
        self.workers = try (0..<workers).map { _ in try Worker(database, keyPrefix: keyPrefix) }
    }

    /// The proxy between the first worker and Redis.
    var redisProxy: FaultProxy { workers[0].proxy }

    private static let concurrency = ConcurrencyLimit(3)

    /// Runs a test with a number of workers.
    static func with(workers: Int = 1, _ body: @Loop (PostFixture) async throws -> Void) async throws {
        try await concurrency.run {
            try await TestDatabase.withSchema(of: PostService.definition, connections: 4) { _, pool in
                try await PostFixture(pool, workers: workers).run(body)
            }
        }
    }

    private func run(_ body: @Loop (PostFixture) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.redis.run() } }
            let ended = await outcome {
                let areConnected = try await eventually(within: .seconds(20)) {
                    workers.allSatisfy(\.redis.isConnected)
                }
                try #require(areConnected)
                try await body(self)
            }
            for worker in workers {
                await worker.redis.close()
                worker.proxy.stop()
            }
            try await group.waitForAll()
            try ended.get()
        }
    }

    /// Delivers a message to a worker.
    func deliver(_ message: IncomingMessage, to worker: Int = 0) async throws -> Reply? {
        try await workers[worker].handlers.deliver(message)
    }
}
