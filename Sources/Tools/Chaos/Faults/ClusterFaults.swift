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

    /// The time within which a broker without a majority stops serving clients.
    private static let pause: Duration = .seconds(4)

    private static let leaderKilled = Fault(
        name: "leader-killed", summary: "kill -9 of the broker that leads post.commands", targets: [.broker],
        allowance: Allowance(affected: .all, recovery: recovery)
    ) { testbed, run in
        let leader = try await testbed.broker.leader(of: Queue.postCommands)
        try await run.perform(
            cause: { try await testbed.kill(leader.process) }, undo: { try await testbed.startServers() }
        ) {
            try await testbed.sleep(seconds: 12...15)
            Self.requireWrites(testbed, run)
        }
    }

    private static let twoKilled = Fault(
        name: "two-brokers-killed", summary: "kill -9 of two brokers, so that the third one has no majority",
        targets: [.broker],
        allowance: Allowance(
            affected: .all, recovery: recovery, detection: pause, evidence: .status([503], of: "POST /v1/posts"))
    ) { testbed, run in
        try await run.perform(
            cause: { for number in [2, 3] { try await testbed.kill("rabbitmq-\(number)") } },
            undo: { try await testbed.startServers() }, { try await testbed.sleep(seconds: 10...12) })
        guard let caused = run.caused, let end = run.removalBegan else { return }
        let wrong = testbed.http.log.calls.count {
            $0.call.hasPrefix("POST") && $0.isSuccess && $0.began >= caused + pause && $0.ended <= end
        }
        run.require(wrong == 0, "\(wrong) commands got a 2xx without a majority of the brokers")
    }

    /// The other nodes take the broker for dead. RabbitMQ does not mend such a partition, so the broker is restarted.
    private static func stopped(seconds: Int) -> Fault {
        Fault(
            name: "leader-stopped-\(seconds)s",
            summary: "the broker that leads post.commands hangs (SIGSTOP), and is then restarted",
            targets: [.broker], allowance: Allowance(affected: .all, recovery: recovery)
        ) { testbed, run in
            let leader = try await testbed.broker.leader(of: Queue.postCommands)
            try await run.perform(
                cause: { try testbed.signal(leader.process, SIGSTOP) },
                undo: {
                    try testbed.signal(leader.process, SIGCONT)
                    try await testbed.kill(leader.process)
                    try await testbed.startServers()
                },
                { try await Loop.sleep(for: .seconds(seconds)) })
            Self.requireWrites(testbed, run)
        }
    }

    /// Clients still reach the broker, but the other brokers do not, so it pauses (`pause_minority`).
    private static func cutOff(seconds: Int) -> Fault {
        Fault(
            name: "leader-cut-off-\(seconds)s", summary: "the broker that leads post.commands loses the other two",
            targets: [.broker], allowance: Allowance(affected: .all, recovery: recovery)
        ) { testbed, run in
            let leader = try await testbed.broker.leader(of: Queue.postCommands)
            try await run.perform(
                cause: { try await testbed.broker.cutOff(leader) },
                undo: { try await testbed.broker.reconnect(leader) },
                { try await Loop.sleep(for: .seconds(seconds)) })
            Self.requireWrites(testbed, run)
        }
    }

    /// Requires that writes have stopped for at most 10 s since the fault began.
    @Loop private static func requireWrites(_ testbed: Testbed, _ run: FaultRun) {
        let longest = testbed.http.log.longestInterruption(of: "POST /v1/posts", since: run.began)
        run.require(longest <= interruption, "no post was created for \(longest.secondsText)")
    }
}
