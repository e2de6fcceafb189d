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
    /// The commands whose interruptions are measured.
    private static let writes = ["POST /v1/posts", "DELETE /v1/posts/…", "POST /v1/media"]
    /// The time after which requests succeed again when the brokers are ready. A worker tries to consume a classic
    /// queue again after at most 10 s.
    private static let recovery: Duration = .seconds(12)
    /// A broker that was cut off must join the others first.
    private static let rejoining: Duration = .seconds(15)

    /// The time within which a broker without a majority stops serving clients.
    private static let pause: Duration = .seconds(4)

    private static let leaderKilled = Fault(
        name: "leader-killed", summary: "kill -9 of the broker that leads post.commands", targets: [.broker],
        allowance: Allowance(affected: .all, recovery: recovery)
    ) { testbed, run in
        let leader = try await testbed.broker.leader(of: Queue.postCommands)
        try await run.perform(
            cause: { try await testbed.kill(leader.process) }, undo: { try await testbed.start("rabbitmq") }
        ) {
            try await testbed.sleep(seconds: 12...15)
            Self.requireWrites(testbed, run)
            try await Self.requireOtherLeader(leader, testbed, run)
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
            undo: { try await testbed.start("rabbitmq") }, { try await testbed.sleep(seconds: 10...12) })
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
            targets: [.broker],
            allowance: Allowance(
                affected: .all, recovery: recovery, evidence: .slowness(.seconds(1), of: "POST /v1/posts"))
        ) { testbed, run in
            let leader = try await testbed.broker.leader(of: Queue.postCommands)
            try await run.perform(
                cause: { try testbed.signal(leader.process, SIGSTOP) },
                undo: {
                    try testbed.signal(leader.process, SIGCONT)
                    try await testbed.kill(leader.process)
                    try await testbed.start("rabbitmq")
                },
                { try await Loop.sleep(for: .seconds(seconds)) })
            Self.requireWrites(testbed, run)
        }
    }

    /// Clients still reach the broker, but the other brokers do not, so it pauses (`pause_minority`).
    private static func cutOff(seconds: Int) -> Fault {
        Fault(
            name: "leader-cut-off-\(seconds)s", summary: "the broker that leads post.commands loses the other two",
            targets: [.broker], allowance: Allowance(affected: .all, recovery: rejoining)
        ) { testbed, run in
            let leader = try await testbed.broker.leader(of: Queue.postCommands)
            try await run.perform(
                cause: { try await testbed.broker.cutOff(leader) },
                undo: { try await testbed.broker.reconnect(leader) },
                {
                    try await Loop.sleep(for: .seconds(seconds))
                    try await Self.requireOtherLeader(leader, testbed, run)
                })
            Self.requireWrites(testbed, run)
        }
    }

    /// Requires that another broker leads the queue now. Otherwise the fault had no effect.
    @Loop private static func requireOtherLeader(
        _ leader: BrokerAdmin.Node, _ testbed: Testbed, _ run: FaultRun
    ) async throws {
        guard let other = BrokerAdmin.nodes.first(where: { $0 != leader }) else { return }
        let current = try await testbed.broker.leader(of: Queue.postCommands, asking: other)
        run.require(current != leader, "\(run.fault.name) had no effect: \(leader.name) still leads the queue")
    }

    /// Requires that writes have stopped for at most 10 s since the fault began.
    @Loop private static func requireWrites(_ testbed: Testbed, _ run: FaultRun) {
        for write in writes {
            let longest = testbed.http.log.longestInterruption(of: write, since: run.began)
            run.require(longest <= interruption, "no \(write) was served for \(longest.secondsText)")
        }
    }
}
