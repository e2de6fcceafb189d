import Contracts
import FaultProxy
import Glibc
import LocalStack
import Reactor

/// Faults of the Redis server with the caches. No request may fail because of them.
enum RedisFaults {
    /// The caches must not delay a request for longer.
    private static let limit: Duration = .seconds(1)
    private static let servers = ["redis-1", "limits-1"]

    static let all = [killed, restarted, stopped, silent, readOnly, full, flushed]

    private static let killed = Fault(
        name: "redis-killed", summary: "kill -9 of both Redis servers; empty ones replace them", targets: [.redis],
        maximumLatency: limit
    ) { world, run in
        try await run.perform(
            cause: { for name in servers { try await world.kill(name) } }, undo: { try await world.startServers() },
            { try await world.sleep(seconds: 2...8) })
    }

    private static let restarted = Fault(
        name: "redis-restarted", summary: "both Redis servers are stopped and started", targets: [.redis],
        maximumLatency: limit
    ) { world, run in
        try await run.perform(
            cause: { for name in servers { try await world.stack.kill(name, with: SIGTERM) } },
            undo: { try await world.startServers() }, {})
    }

    private static let stopped = Fault(
        name: "redis-stopped", summary: "both Redis servers hang for 30 s (SIGSTOP)", targets: [.redis],
        maximumLatency: limit
    ) { world, run in
        try await run.perform(
            cause: { for name in servers { try world.signal(name, SIGSTOP) } },
            undo: { for name in servers { try world.signal(name, SIGCONT) } },
            { try await Loop.sleep(for: .seconds(30)) })
    }

    private static let silent = Fault(
        name: "redis-silent",
        summary: "the connections to Redis stay open, but carry nothing for 20 s (half-open TCP)", targets: [.redis],
        maximumLatency: limit
    ) { world, run in
        try await run.perform(stalling: [world.proxies.redis, world.proxies.limits], seconds: 20)
    }

    private static let readOnly = Fault(
        name: "redis-read-only", summary: "Redis refuses writes, as a replica does", targets: [.redis],
        maximumLatency: limit
    ) { world, run in
        try await run.perform(
            cause: { try await world.redis("REPLICAOF", "127.0.0.1", "1") },
            undo: { try await world.redis("REPLICAOF", "NO", "ONE") },
            { try await world.sleep(seconds: 4...10) })
    }

    private static let full = Fault(
        name: "redis-full", summary: "Redis has no memory left and evicts nothing", targets: [.redis],
        maximumLatency: limit
    ) { world, run in
        try await run.perform(
            cause: { try await world.redis("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1") },
            undo: {
                try await world.redis("CONFIG", "SET", "maxmemory-policy", "volatile-lru", "maxmemory", "268435456")
            },
            { try await world.sleep(seconds: 4...10) })
    }

    private static let flushed = Fault(
        name: "redis-flushed", summary: "Redis loses all entries, ten times", targets: [.redis],
        maximumLatency: limit
    ) { world, run in
        try await run.perform(cause: {}, undo: {}) {
            for _ in 0..<10 {
                try await world.redis("FLUSHALL")
                try await world.sleep(seconds: 0.1...1)
            }
        }
    }
}
