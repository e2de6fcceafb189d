import ChaosKit
import Contracts
import FaultProxy
import Glibc
import LocalStack
import Reactor

/// Faults of the broker and of the connections to it.
enum BrokerFaults {
    static let all = [killed, restarted, stopped, cut, silent, memoryAlarm, diskAlarm, fullQueue]

    /// Two heartbeat intervals of 15 s, and the time between two checks of a connection.
    private static let detection: Duration = .seconds(35)

    private static let refusedPost = Allowance.Evidence.status([503], of: "POST /v1/posts")

    private static let killed = Fault(
        name: "broker-killed", summary: "kill -9 of RabbitMQ, which is started again some seconds later",
        targets: [.broker], allowance: Allowance(affected: .all, detection: .seconds(2), evidence: refusedPost)
    ) { testbed, run in
        try await run.perform(
            cause: { try await testbed.kill("rabbitmq-1") }, undo: { try await testbed.start("rabbitmq") },
            { try await testbed.sleep(seconds: 5...8) })
    }

    private static let restarted = Fault(
        name: "broker-restarted", summary: "RabbitMQ is stopped and started", targets: [.broker],
        allowance: Allowance(affected: .all, detection: .seconds(2), evidence: refusedPost)
    ) { testbed, run in
        try await run.perform(
            cause: { try await testbed.kill("rabbitmq-1", with: SIGTERM) },
            undo: { try await testbed.start("rabbitmq") }, { try await Loop.sleep(for: .seconds(3)) })
    }

    private static let stopped = Fault(
        name: "broker-stopped", summary: "RabbitMQ hangs for 45 s (SIGSTOP), longer than two heartbeats",
        targets: [.broker], allowance: Allowance(affected: .all, detection: detection, evidence: refusedPost)
    ) { testbed, run in
        try await run.perform(
            cause: { try testbed.signal("rabbitmq-1", SIGSTOP) },
            undo: { try testbed.signal("rabbitmq-1", SIGCONT) }, { try await Loop.sleep(for: .seconds(45)) })
    }

    private static let cut = Fault(
        name: "connections-cut", summary: "all connections between daemons and servers are cut, five times",
        targets: [.broker, .postgres, .redis, .mediaHost], allowance: Allowance(affected: .all)
    ) { testbed, run in
        try await run.requiringDisturbances(of: testbed.proxies.all) {
            run.begin()
            for _ in 0..<5 {
                for proxy in testbed.proxies.all { proxy.cut() }
                try await testbed.sleep(seconds: 0.2...2)
            }
            run.end()
        }
    }

    private static let silent = Fault(
        name: "broker-silent",
        summary: "the connections to RabbitMQ stay open, but carry nothing for 45 s (half-open TCP)",
        targets: [.broker], allowance: Allowance(affected: .all, detection: detection, evidence: refusedPost)
    ) { testbed, run in
        try await run.perform(stalling: testbed.proxies.brokers, seconds: 45)
    }

    private static let memoryAlarm = alarm(
        "memory", set: ["set_vm_memory_high_watermark", "absolute", "1MB"],
        reset: ["set_vm_memory_high_watermark", "0.4"])

    private static let diskAlarm = alarm(
        "disk", set: ["set_disk_free_limit", "100000GB"], reset: ["set_disk_free_limit", "50MB"])

    /// The post workers are stopped for a second before the alarm, so that commands are in the queue. They must be
    /// carried out during the alarm, although the broker accepts no publishes.
    private static func alarm(_ kind: String, set: [String], reset: [String]) -> Fault {
        Fault(
            name: "broker-\(kind)-alarm", summary: "RabbitMQ has a \(kind) alarm and accepts no publishes",
            targets: [.broker], needs: [.postgres, .workers],
            allowance: Allowance(affected: .all, detection: .seconds(3), evidence: refusedPost)
        ) { testbed, run in
            let posts = (1...Testbed.workers).map { "post-\($0)" }
            run.begin()
            var before = 0
            try await run.perform(
                cause: {
                    try await undoing({ for name in posts { try testbed.signal(name, SIGCONT) } }) {
                        for name in posts { try testbed.signal(name, SIGSTOP) }
                        try await Loop.sleep(for: .seconds(1))
                        _ = try await testbed.stack.rabbitmqctl(set)
                        before = try await testbed.databases.postCount()
                    }
                },
                undo: { _ = try await testbed.stack.rabbitmqctl(reset) },
                {
                    try await testbed.sleep(seconds: 6...12)
                    try await Self.requireConsuming(testbed, run)
                    let created = try await testbed.databases.postCount() - before
                    run.require(created > 0, "no post that waited in the queue was created during the alarm")
                })
        }
    }

    /// Requires that the broker blocks only connections that publish. Each worker process has another one, which
    /// consumes.
    @Loop private static func requireConsuming(_ testbed: Testbed, _ run: FaultRun) async throws {
        let connections = try await testbed.broker.unblockedConnections()
        for worker in Stack.workers {
            let count = connections[worker] ?? 0
            run.require(
                count >= Testbed.workers,
                "only \(count) connections of the \(worker) workers are not blocked")
        }
    }

    private static let fullQueue = Fault(
        name: "queue-full", summary: "no post worker runs, and post.commands accepts only five messages",
        targets: [.broker, .workers], needs: [.postgres],
        allowance: Allowance(
            affected: [.post], recovery: .seconds(12), evidence: .status([503], of: "POST /v1/posts"))
    ) { testbed, run in
        try await run.perform(
            cause: {
                try await testbed.scale("post", 0)
                _ = try await testbed.stack.rabbitmqctl([
                    "set_operator_policy", "-p", "warren", "--apply-to", "queues", "chaos", "^post\\.commands$",
                    "{\"max-length\": 5}",
                ])
            },
            undo: {
                _ = try await testbed.stack.rabbitmqctl(["clear_operator_policy", "-p", "warren", "chaos"])
                try await testbed.scale("post", Testbed.workers)
            },
            { try await Loop.sleep(for: .seconds(8)) })
        let late = testbed.http.log.calls.filter {
            $0.call == "POST /v1/posts" && $0.status == 503 && $0.began >= run.began && $0.duration > .seconds(1)
        }
        run.require(late.isEmpty, "\(late.count) POSTs got a 503 only after more than a second")
    }
}
