import ChaosKit
import Contracts
import Glibc
import LocalStack
import Reactor

/// Faults of the nodes of a cluster of three brokers (`compose/local chaos --cluster`).
enum ClusterFaults {
    static let all = [
        leaderKilled, twoKilled, stopped(seconds: 10), stopped(seconds: 30), cutOff(seconds: 10), cutOff(seconds: 30),
    ]

    /// The longest time for which writes may stop while two of three brokers run.
    private static let interruption: Duration = .seconds(10)
    /// The time within which a broker is ready after its start, and within which a queue without a majority has one
    /// again.
    private static let recovery: Duration = .seconds(15)

    private static let leaderKilled = Fault(
        name: "leader-killed", summary: "kill -9 of the broker that leads post.commands", targets: [.broker],
        affected: Fault.allServices, recovery: recovery
    ) { world, run in
        let leader = try await world.broker.leader(of: Queue.postCommands)
        try await run.perform(cause: { try await world.kill(leader.process) }, undo: { try await world.startServers() })
        {
            try await world.sleep(seconds: 12...15)
            Self.requireWrites(world, run)
        }
    }

    private static let twoKilled = Fault(
        name: "two-brokers-killed", summary: "kill -9 of two brokers, so that the third one has no majority",
        targets: [.broker], affected: Fault.allServices, recovery: recovery
    ) { world, run in
        try await run.perform(
            cause: { for number in [2, 3] { try await world.kill("rabbitmq-\(number)") } },
            undo: { try await world.startServers() }, { try await world.sleep(seconds: 5...8) })
    }

    /// The other nodes take the broker for dead. RabbitMQ does not mend such a partition, so the broker is restarted.
    private static func stopped(seconds: Int) -> Fault {
        Fault(
            name: "leader-stopped-\(seconds)s",
            summary: "the broker that leads post.commands hangs (SIGSTOP), and is then restarted",
            targets: [.broker], affected: Fault.allServices, recovery: recovery
        ) { world, run in
            let leader = try await world.broker.leader(of: Queue.postCommands)
            try await run.perform(
                cause: { try world.signal(leader.process, SIGSTOP) },
                undo: {
                    try world.signal(leader.process, SIGCONT)
                    try await world.kill(leader.process)
                    try await world.startServers()
                },
                {
                    try await Loop.sleep(for: .seconds(seconds))
                    Self.requireWrites(world, run)
                })
        }
    }

    /// Clients still reach the broker, but the other brokers do not, so it pauses (`pause_minority`).
    private static func cutOff(seconds: Int) -> Fault {
        Fault(
            name: "leader-cut-off-\(seconds)s", summary: "the broker that leads post.commands loses the other two",
            targets: [.broker], affected: Fault.allServices, recovery: recovery
        ) { world, run in
            let leader = try await world.broker.leader(of: Queue.postCommands)
            try await run.perform(
                cause: { try await world.broker.cutOff(leader) },
                undo: { try await world.broker.reconnect(leader) },
                { try await Loop.sleep(for: .seconds(seconds)) })
            Self.requireWrites(world, run)
        }
    }

    /// Requires that writes have stopped for at most 10 s since the fault began.
    @Loop private static func requireWrites(_ world: World, _ run: FaultRun) {
        let longest = world.http.log.longestInterruption(of: "POST /v1/posts", since: run.began)
        run.require(longest <= interruption, "no post was created for \(longest.secondsText)")
    }
}
