import Contracts
import DatabaseSupport
import FoundationEssentials
import Logging
import Postgres
import Reactor
import Redis
import TestSupport
import Testing

@testable import PostService
@testable import WorkerKit

/// Workers of the post service on a schema and cache keys of their own, called as the kit calls them.
@Loop final class PostBench {
    /// One worker's process: a connection to Redis of its own, and what stands between the two.
    @Loop final class Worker {
        let redis: RedisClient
        let proxy: FaultProxy
        fileprivate let handlers: [String: Handler]

        fileprivate init(_ database: PostgresPool, root: String) throws {
            let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
                try FaultProxy(to: $0)
            }
            var limits = RedisLimits()
            limits.timeout = .seconds(2)
            redis = RedisClient(address: try RedisAddress(url: url), name: "test", limits: limits, log: PostBench.log)
            self.proxy = proxy
            let cache = PostCache(redis, root: root, log: PostBench.log)
            handlers = Dictionary(
                uniqueKeysWithValues: PostService.handlers(database, cache).map { ($0.type, $0) })
        }
    }

    nonisolated static let log: Logger = {
        var log = Logger(label: "test")
        log.logLevel = .critical
        return log
    }()

    let database: PostgresPool
    let workers: [Worker]
    private let root = "post-test:" + UUID().text

    private init(_ database: PostgresPool, workers: Int) throws {
        self.database = database
        let root = root
        self.workers = try (0..<workers).map { _ in try Worker(database, root: root) }
    }

    var redis: FaultProxy { workers[0].proxy }

    private static let turns = Turns(3)

    /// Runs a test with so many workers.
    static func with(workers: Int = 1, _ body: @Loop (PostBench) async throws -> Void) async throws {
        try await turns.take {
            try await TestDatabase.withSchema { url in
                try await Migrator(url: url, log: log).migrate(KitMigrations.all + PostService.definition.migrations)
                try await TestDatabase.withPool(url, size: 4) { try await PostBench($0, workers: workers).run(body) }
            }
        }
    }

    private func run(_ body: @Loop (PostBench) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.redis.run() } }
            let ended = await outcome {
                let areUp = try await eventually(within: .seconds(20)) { workers.allSatisfy(\.redis.isConnected) }
                try #require(areUp)
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

    /// Hands a message to a worker.
    func deliver(_ message: IncomingMessage, to worker: Int = 0) async throws -> Reply? {
        let handler = try #require(workers[worker].handlers[message.type])
        return try await handler.reply(to: message, in: database, log: Self.log)
    }
}
