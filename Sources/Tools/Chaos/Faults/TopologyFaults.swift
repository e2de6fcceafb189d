import ChaosKit
import Contracts
import FoundationEssentials
import LocalStack
import Reactor

/// Faults of the broker's queues and bindings.
enum TopologyFaults {
    static let all = [deletedQueue, deletedBinding]

    /// The longest time in which another service may not be served, because the ingress reconnects.
    private static let disturbance: Duration = .seconds(5)

    /// RabbitMQ 3.10 may close a connection that publishes to the queue at this moment, with the code 541.
    private static let deletedQueue = Fault(
        name: "queue-deleted", summary: "post.commands is deleted by mistake", targets: [.broker],
        allowance: Allowance(affected: .all), losesQueuedCommands: true
    ) { testbed, run in
        let start = Timestamp.now()
        try await run.perform(
            cause: { _ = try await testbed.stack.rabbitmqctl(["delete_queue", "-p", "warren", Queue.postCommands]) },
            undo: { try await testbed.broker.importTopology() },
            { try await Self.requireReport(of: Queue.postCommands, since: start, testbed, run) })
        for service in ServiceName.allCases where service != .post {
            let longest = testbed.http.log.longestInterruption(of: service, since: run.began)
            run.require(longest < disturbance, "\(service.rawValue) was not served for \(longest.secondsText)")
        }
    }

    private static let deletedBinding = Fault(
        name: "binding-deleted", summary: "the binding of post.create is deleted by mistake", targets: [.broker],
        allowance: Allowance(affected: [.post])
    ) { testbed, run in
        let start = Timestamp.now()
        try await run.perform(
            cause: {
                try await testbed.broker.unbind(
                    queue: Queue.postCommands, exchange: Exchange.commands, key: "post.create")
            },
            undo: { try await testbed.broker.importTopology() },
            { try await Self.requireReport(of: Queue.postCommands, since: start, testbed, run) })
    }

    /// Requires that the health check and the log of an ingress name the queue within 10 s.
    @Loop private static func requireReport(
        of queue: String, since start: Timestamp, _ testbed: Testbed, _ run: FaultRun
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while await !testbed.http.missingQueues(testbed.addresses.http).contains(queue) {
            guard .now < deadline else {
                return run.require(false, "the health check did not name \(queue) within 10 s")
            }
            try await Loop.sleep(for: .milliseconds(100))
        }
        while try !isLogged(queue, since: start, testbed) {
            guard .now < deadline else { return run.require(false, "the log did not name \(queue) within 10 s") }
            try await Loop.sleep(for: .milliseconds(500))
        }
    }

    /// Whether the log of the ingress has an error about the queue.
    @Loop private static func isLogged(_ queue: String, since start: Timestamp, _ testbed: Testbed) throws -> Bool {
        let log = try String(contentsOfFile: "\(testbed.stack.state)/log/ingress-1.log", encoding: .utf8)
        return log.split(separator: "\n").contains { text in
            guard text.contains(queue), let line = try? JSON.parse(Array(text.utf8)) else { return false }
            return line["level"]?.string == "error" && line["queue"]?.string == queue
                && (line["time"]?.string).flatMap(Timestamp.init(text:)).map { $0 >= start } == true
        }
    }
}
