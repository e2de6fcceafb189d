import ChaosKit
import Contracts
import LocalStack
import Reactor

/// Faults of the broker's queues and bindings.
enum TopologyFaults {
    static let all = [deletedQueue, deletedBinding]

    /// RabbitMQ 3.10 may close a connection that publishes to the queue at this moment, with the code 541.
    private static let deletedQueue = Fault(
        name: "queue-deleted", summary: "post.commands is deleted by mistake", targets: [.broker],
        affected: Fault.allServices, losesQueuedCommands: true
    ) { world, run in
        try await run.perform(
            cause: { _ = try await world.stack.rabbitmqctl(["delete_queue", "-p", "warren", Queue.postCommands]) },
            undo: { try await world.broker.importTopology() },
            { try await Self.requireReport(of: Queue.postCommands, world, run) })
    }

    private static let deletedBinding = Fault(
        name: "binding-deleted", summary: "the binding of post.create is deleted by mistake", targets: [.broker],
        affected: [.post]
    ) { world, run in
        try await run.perform(
            cause: {
                try await world.broker.unbind(
                    queue: Queue.postCommands, exchange: Exchange.commands, key: "post.create")
            },
            undo: { try await world.broker.importTopology() },
            { try await Self.requireReport(of: Queue.postCommands, world, run) })
    }

    /// Requires that the health check of an ingress names the queue within 10 s.
    @Loop private static func requireReport(of queue: String, _ world: World, _ run: FaultRun) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while await !world.http.missingQueues(world.addresses.http).contains(queue) {
            guard .now < deadline else {
                return run.require(false, "the health check did not name \(queue) within 10 s")
            }
            try await Loop.sleep(for: .milliseconds(100))
        }
    }
}
