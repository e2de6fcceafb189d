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
        targets: [.broker], affected: Fault.allServices, detection: .seconds(2)
    ) { world, run in
        try await run.perform(
            cause: { try await world.kill("rabbitmq-1") }, undo: { try await world.startServers() },
            { try await world.sleep(seconds: 2...8) })
    }

    private static let restarted = Fault(
        name: "broker-restarted", summary: "RabbitMQ is stopped and started", targets: [.broker],
        affected: Fault.allServices
    ) { world, run in
        try await run.perform(
            cause: { try await world.stack.kill("rabbitmq-1", with: SIGTERM) },
            undo: { try await world.startServers() }, {})
    }

    private static let stopped = Fault(
        name: "broker-stopped", summary: "RabbitMQ hangs for 45 s (SIGSTOP), longer than two heartbeats",
        targets: [.broker], affected: Fault.allServices, recovery: .seconds(12), detection: detection
    ) { world, run in
        try await run.perform(
            cause: { try world.signal("rabbitmq-1", SIGSTOP) }, undo: { try world.signal("rabbitmq-1", SIGCONT) },
            { try await Loop.sleep(for: .seconds(45)) })
    }

    private static let cut = Fault(
        name: "connections-cut", summary: "all connections between daemons and servers are cut, five times",
        targets: [.broker, .postgres, .redis, .mediaHost], affected: Fault.allServices
    ) { world, run in
        run.begin()
        for _ in 0..<5 {
            for proxy in world.proxies.all { proxy.cut() }
            try await world.sleep(seconds: 0.2...2)
        }
        run.end()
    }

    private static let silent = Fault(
        name: "broker-silent",
        summary: "the connections to RabbitMQ stay open, but carry nothing for 45 s (half-open TCP)",
        targets: [.broker], affected: Fault.allServices, recovery: .seconds(12), detection: detection
    ) { world, run in
        try await run.perform(stalling: world.proxies.brokers, seconds: 45)
    }

    private static let memoryAlarm = alarm(
        "memory", set: ["set_vm_memory_high_watermark", "absolute", "1MB"],
        reset: ["set_vm_memory_high_watermark", "0.4"])

    private static let diskAlarm = alarm(
        "disk", set: ["set_disk_free_limit", "100000GB"], reset: ["set_disk_free_limit", "50MB"])

    private static func alarm(_ kind: String, set: [String], reset: [String]) -> Fault {
        Fault(
            name: "broker-\(kind)-alarm", summary: "RabbitMQ has a \(kind) alarm and accepts no publishes",
            targets: [.broker], affected: Fault.allServices, detection: .seconds(3)
        ) { world, run in
            try await run.perform(
                cause: { _ = try await world.stack.rabbitmqctl(set) },
                undo: { _ = try await world.stack.rabbitmqctl(reset) },
                { try await world.sleep(seconds: 6...12) })
            world.requireRefusals("POST /v1/posts", run)
        }
    }

    private static let fullQueue = Fault(
        name: "queue-full", summary: "no post worker runs, and post.commands accepts only five messages",
        targets: [.broker, .workers], needs: [.postgres], affected: [.post], recovery: .seconds(12)
    ) { world, run in
        try await run.perform(
            cause: {
                try await world.scale("post", 0)
                _ = try await world.stack.rabbitmqctl([
                    "set_operator_policy", "-p", "warren", "--apply-to", "queues", "chaos", "^post\\.commands$",
                    "{\"max-length\": 5}",
                ])
            },
            undo: {
                _ = try await world.stack.rabbitmqctl(["clear_operator_policy", "-p", "warren", "chaos"])
                try await world.scale("post", World.workers)
            },
            { try await Loop.sleep(for: .seconds(8)) })
        world.requireRefusals("POST /v1/posts", run)
    }
}
