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

    private static let killed = Fault(
        name: "broker-killed", summary: "kill -9 of RabbitMQ, which is started again some seconds later",
        targets: [.broker], allowance: Allowance(affected: .all, detection: .seconds(2))
    ) { testbed, run in
        try await run.perform(
            cause: { try await testbed.kill("rabbitmq-1") }, undo: { try await testbed.startServers() },
            { try await testbed.sleep(seconds: 5...8) })
    }

    private static let restarted = Fault(
        name: "broker-restarted", summary: "RabbitMQ is stopped and started", targets: [.broker],
        allowance: Allowance(affected: .all, detection: .seconds(2))
    ) { testbed, run in
        try await run.perform(
            cause: { try await testbed.stack.kill("rabbitmq-1", with: SIGTERM) },
            undo: { try await testbed.startServers() }, { try await Loop.sleep(for: .seconds(3)) })
    }

    private static let stopped = Fault(
        name: "broker-stopped", summary: "RabbitMQ hangs for 45 s (SIGSTOP), longer than two heartbeats",
        targets: [.broker], allowance: Allowance(affected: .all, detection: detection)
    ) { testbed, run in
        try await run.perform(
            cause: { try testbed.signal("rabbitmq-1", SIGSTOP) },
            undo: { try testbed.signal("rabbitmq-1", SIGCONT) }, { try await Loop.sleep(for: .seconds(45)) })
    }

    private static let cut = Fault(
        name: "connections-cut", summary: "all connections between daemons and servers are cut, five times",
        targets: [.broker, .postgres, .redis, .mediaHost], allowance: Allowance(affected: .all)
    ) { testbed, run in
        run.begin()
        for _ in 0..<5 {
            for proxy in testbed.proxies.all { proxy.cut() }
            try await testbed.sleep(seconds: 0.2...2)
        }
        run.end()
    }

    private static let silent = Fault(
        name: "broker-silent",
        summary: "the connections to RabbitMQ stay open, but carry nothing for 45 s (half-open TCP)",
        targets: [.broker], allowance: Allowance(affected: .all, detection: detection)
    ) { testbed, run in
        try await run.perform(stalling: testbed.proxies.brokers, seconds: 45)
    }

    private static let memoryAlarm = alarm(
        "memory", set: ["set_vm_memory_high_watermark", "absolute", "1MB"],
        reset: ["set_vm_memory_high_watermark", "0.4"])

    private static let diskAlarm = alarm(
        "disk", set: ["set_disk_free_limit", "100000GB"], reset: ["set_disk_free_limit", "50MB"])

    private static func alarm(_ kind: String, set: [String], reset: [String]) -> Fault {
        Fault(
            name: "broker-\(kind)-alarm", summary: "RabbitMQ has a \(kind) alarm and accepts no publishes",
            targets: [.broker],
            allowance: Allowance(
                affected: .all, detection: .seconds(3), evidence: .status([503], of: "POST /v1/posts"))
        ) { testbed, run in
            try await run.perform(
                cause: { _ = try await testbed.stack.rabbitmqctl(set) },
                undo: { _ = try await testbed.stack.rabbitmqctl(reset) },
                {
                    try await testbed.sleep(seconds: 6...12)
                    // The broker blocks only connections that publish. Workers must still consume.
                    let consuming = try await testbed.broker.usersWithUnblockedConnections()
                    let blocked = Set(Stack.workers).subtracting(consuming).sorted()
                    run.require(blocked.isEmpty, "all connections of \(blocked) are blocked")
                })
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
