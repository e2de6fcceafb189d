import ChaosKit
import Contracts
import FoundationEssentials
import LocalStack
import Reactor

/// Faults of the broker's queues and bindings.
enum TopologyFaults {
    static let all = [deletedQueue, deletedEventQueue, deletedBinding]

    /// The longest time in which another service may not be served: a request whose reply is lost with the connection
    /// waits for 5 s, and the ingress reconnects within 3 s.
    private static let disturbance: Duration = .seconds(8)
    /// The time within which the daemons name a missing queue.
    private static let reportLimit: Duration = .seconds(10)

    /// RabbitMQ 3.10 may close a connection that publishes to the queue at this moment, with the code 541.
    private static let deletedQueue = Fault(
        name: "queue-deleted", summary: "post.commands is deleted by mistake", targets: [.broker],
        needs: [.workers, .ingress], allowance: Allowance(affected: .all), losesQueuedCommands: true
    ) { testbed, run in
        let logs = try LogEnds(of: testbed.stack)
        try await run.perform(
            cause: { _ = try await testbed.stack.rabbitmqctl(["delete_queue", "-p", "warren", Queue.postCommands]) },
            undo: { try await testbed.broker.importTopology() },
            {
                try await Self.requireIngressReports(of: Queue.postCommands, logs, testbed, run)
                try await Self.requireWorkerReports(of: Queue.postCommands, "post", logs, testbed, run)
            })
        for service in ServiceName.allCases where service != .post {
            let longest = testbed.http.log.longestInterruption(of: service, since: run.began)
            run.require(longest < disturbance, "\(service.rawValue) was not served for \(longest.secondsText)")
        }
    }

    /// The events that are published meanwhile are lost for the index. A rebuild of an empty index makes it whole
    /// again; another rebuild removes deleted posts only ten minutes after their creation. RabbitMQ 3.10 closes the
    /// connections of post workers, which publish to the queue, with the code 541, so replies are lost, too.
    private static let deletedEventQueue = Fault(
        name: "event-queue-deleted",
        summary: "search.events is deleted by mistake, and `rebuild-search` fills the emptied index afterwards",
        targets: [.broker], needs: [.workers, .postgres], allowance: Allowance(affected: [.post, .search])
    ) { testbed, run in
        let logs = try LogEnds(of: testbed.stack)
        try await run.perform(
            cause: { _ = try await testbed.stack.rabbitmqctl(["delete_queue", "-p", "warren", Queue.searchEvents]) },
            undo: { try await testbed.broker.importTopology() },
            {
                try await Self.requireWorkerReports(of: Queue.searchEvents, "search", logs, testbed, run)
                try await testbed.psql("TRUNCATE documents, vocabulary", database: "search")
            })
        let deadline = ContinuousClock.now + .seconds(15)
        let isConsumed: @Loop () async throws -> Bool = {
            try await testbed.broker.queues().contains { $0.name == Queue.searchEvents && $0.consumers > 0 }
        }
        while try await !isConsumed() {
            guard .now < deadline else {
                return run.require(false, "\(Queue.searchEvents) is not consumed 15 s after its import")
            }
            try await Loop.sleep(for: .milliseconds(500))
        }
        try await testbed.stack.composeLocal("rebuild-search")
    }

    private static let deletedBinding = Fault(
        name: "binding-deleted", summary: "the binding of post.create is deleted by mistake", targets: [.broker],
        needs: [.ingress], allowance: Allowance(affected: [.post])
    ) { testbed, run in
        let logs = try LogEnds(of: testbed.stack)
        try await run.perform(
            cause: {
                try await testbed.broker.unbind(
                    queue: Queue.postCommands, exchange: Exchange.commands, key: "post.create")
            },
            undo: { try await testbed.broker.importTopology() },
            { try await Self.requireIngressReports(of: Queue.postCommands, logs, testbed, run) })
    }

    // MARK: Reports

    /// Requires that the health check and the log of each ingress name the queue within 10 s.
    @Loop private static func requireIngressReports(
        of queue: String, _ logs: LogEnds, _ testbed: Testbed, _ run: FaultRun
    ) async throws {
        for (address, log) in zip(testbed.http.addresses, ["ingress-1", "ingress-chaos"]) {
            try await require("the health check of \(log) did not name \(queue)", run) {
                await testbed.http.missingQueues(address).contains(queue)
            }
            try await require("\(log).log did not name \(queue)", run) {
                try isLogged(queue, log, "error", logs)
            }
        }
    }

    /// Requires that the health file and the log of each worker of a service name the queue within 10 s.
    @Loop private static func requireWorkerReports(
        of queue: String, _ service: String, _ logs: LogEnds, _ testbed: Testbed, _ run: FaultRun
    ) async throws {
        for number in 1...Testbed.workers {
            let name = "\(service)-\(number)"
            try await require("the health file of \(name) did not name \(queue)", run) {
                let file = "\(testbed.stack.state)/run/\(name).health"
                return (try? String(contentsOfFile: file, encoding: .utf8))?.contains(queue) == true
            }
            try await require("\(name).log did not name \(queue)", run) {
                try isLogged(queue, name, nil, logs)
            }
        }
    }

    /// Waits until a condition holds. It is a finding if it does not hold 10 s after the cause of the fault.
    @Loop private static func require(
        _ finding: String, _ run: FaultRun, _ condition: @Loop () async throws -> Bool
    ) async throws {
        let deadline = (run.caused ?? .now) + reportLimit
        while try await !condition() {
            guard .now < deadline else { return run.require(false, "\(finding) within \(reportLimit.secondsText)") }
            try await Loop.sleep(for: .milliseconds(200))
        }
    }

    /// Whether a process has written a line about the queue to its log.
    ///
    /// - Parameter level: the level of the line; `nil` for `warning` or `error`.
    private static func isLogged(_ queue: String, _ name: String, _ level: String?, _ logs: LogEnds) throws -> Bool {
        let levels = level.map { [$0] } ?? ["warning", "error"]
        return try logs.newLines(of: name).contains { text in
            guard text.contains(queue), let line = try? JSON.parse(Array(text.utf8)) else { return false }
            return line["level"]?.string.map(levels.contains) == true && line["queue"]?.string == queue
        }
    }
}
