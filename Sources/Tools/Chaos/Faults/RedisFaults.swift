import ChaosKit
import Contracts
import FaultProxy
import Glibc
import LocalStack
import Reactor

/// Faults of the Redis servers: one has the caches, the other counts the requests of clients. No request may fail
/// because of them.
enum RedisFaults {
    /// The caches must not delay a request for longer.
    private static let limit: Duration = .seconds(1)
    private static let servers = ["redis-1", "limits-1"]

    static let all = [killed, restarted, stopped, silent, readOnly, full, flushed]

    private static let killed = Fault(
        name: "redis-killed", summary: "kill -9 of both Redis servers; empty ones replace them", targets: [.redis],
        allowance: Allowance(maximumLatency: limit)
    ) { testbed, run in
        try await run.perform(
            cause: { for name in servers { try await testbed.kill(name) } },
            undo: { try await testbed.start("redis", "limits") },
            {
                try await Self.requireReport(testbed, run)
                try await testbed.sleep(seconds: 2...8)
            })
    }

    private static let restarted = Fault(
        name: "redis-restarted", summary: "both Redis servers are stopped and started", targets: [.redis],
        allowance: Allowance(maximumLatency: limit)
    ) { testbed, run in
        try await run.perform(
            cause: { for name in servers { try await testbed.kill(name, with: SIGTERM) } },
            undo: { try await testbed.start("redis", "limits") }, {})
    }

    private static let stopped = Fault(
        name: "redis-stopped", summary: "both Redis servers hang for 30 s (SIGSTOP)", targets: [.redis],
        allowance: Allowance(maximumLatency: limit)
    ) { testbed, run in
        try await run.perform(
            cause: { for name in servers { try testbed.signal(name, SIGSTOP) } },
            undo: { for name in servers { try testbed.signal(name, SIGCONT) } },
            {
                let end = ContinuousClock.now + .seconds(30)
                try await Self.requireReport(testbed, run)
                try await Loop.sleep(for: end - .now)
            })
    }

    private static let silent = Fault(
        name: "redis-silent",
        summary: "the connections to Redis stay open, but carry nothing for 20 s (half-open TCP)", targets: [.redis],
        allowance: Allowance(maximumLatency: limit)
    ) { testbed, run in
        try await run.perform(stalling: [testbed.proxies.redis, testbed.proxies.limits], seconds: 20)
    }

    private static let readOnly = Fault(
        name: "redis-read-only", summary: "both Redis servers refuse writes, as a replica does", targets: [.redis],
        allowance: Allowance(maximumLatency: limit)
    ) { testbed, run in
        try await run.perform(
            cause: {
                try await testbed.redis(RedisServer.allCases, "CONFIG", "RESETSTAT")
                try await testbed.redis(RedisServer.allCases, "REPLICAOF", "127.0.0.1", "1")
            },
            undo: { try await testbed.redis(RedisServer.allCases, "REPLICAOF", "NO", "ONE") },
            {
                try await testbed.sleep(seconds: 4...10)
                try await requireErrors("READONLY", testbed, run)
            })
    }

    private static let full = Fault(
        name: "redis-full", summary: "both Redis servers have no memory left and evict nothing", targets: [.redis],
        allowance: Allowance(maximumLatency: limit)
    ) { testbed, run in
        try await run.perform(
            cause: {
                try await testbed.redis(RedisServer.allCases, "CONFIG", "RESETSTAT")
                try await testbed.redis(
                    RedisServer.allCases, "CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1")
            },
            undo: {
                try await testbed.redis(
                    [.caches], "CONFIG", "SET", "maxmemory-policy", "volatile-lru", "maxmemory", "268435456")
                try await testbed.redis([.limits], "CONFIG", "SET", "maxmemory", "67108864")
            },
            {
                try await testbed.sleep(seconds: 4...10)
                try await requireErrors("OOM", testbed, run)
            })
    }

    /// Requires that both servers have answered with an error. Otherwise the fault had no effect.
    @Loop private static func requireErrors(_ code: String, _ testbed: Testbed, _ run: FaultRun) async throws {
        for server in RedisServer.allCases {
            let statistics = try await testbed.redis([server], "INFO", "errorstats")
            run.require(statistics.contains("errorstat_\(code):"), "no \(server.rawValue) command got \(code)")
        }
    }

    /// Requires that the health check of an ingress names Redis within 10 s. Otherwise the fault had no effect.
    @Loop private static func requireReport(_ testbed: Testbed, _ run: FaultRun) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while await testbed.http.health(testbed.addresses.http)?["redis"]?.string != "down" {
            guard .now < deadline else {
                return run.require(false, "the health check did not name Redis within 10 s")
            }
            try await Loop.sleep(for: .milliseconds(100))
        }
    }

    /// Returns whether the cache has a post. Empty values are tombstones, and those that begin with a zero byte are
    /// reservations.
    private static let hasPost = """
        for _, key in ipairs(redis.call('KEYS', 'post:entry:*')) do
            local first = string.byte(redis.call('GET', key) or '')
            if first and first ~= 0 then return 1 end
        end
        return 0
        """

    private static let flushed = Fault(
        name: "redis-flushed", summary: "both Redis servers lose all entries, ten times", targets: [.redis],
        allowance: Allowance(maximumLatency: limit)
    ) { testbed, run in
        try await run.perform(cause: {}, undo: {}) {
            var hasEntries = false
            for _ in 0..<10 {
                if try await testbed.redis([.caches], "EVAL", hasPost, "0") == "1\n" { hasEntries = true }
                try await testbed.redis(RedisServer.allCases, "FLUSHALL")
                try await testbed.sleep(seconds: 0.1...1)
            }
            run.require(hasEntries, "the cache had no posts")
        }
    }
}
