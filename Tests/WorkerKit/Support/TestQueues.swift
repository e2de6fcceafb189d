import AMQP
import BrokerSupport
import Contracts
import TestSupport

/// The queues of the service of one test, on the broker of the tests. They have the arguments of
/// `queues/definitions.json`, and receive no messages of other tests.
struct TestQueues: Sendable {
    let address: BrokerAddress
    let provisioner: Provisioner
    let prefix = "kit." + String(UInt64.random(in: .min ... .max), radix: 36)

    var commands: String { prefix + ".commands" }
    var queries: String { prefix + ".queries" }
    var events: String { prefix + ".events" }
    /// The delay queue of all steps of the retry ladder.
    var waiting: String { prefix + ".retry" }

    init() throws {
        address = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        provisioner = Provisioner(address: address)
    }

    /// Declares the queues.
    ///
    /// - Parameters:
    ///   - commandTypes: the message types that are bound to the command queue.
    ///   - queryTypes: the message types that are bound to the query queue.
    ///   - eventTypes: the event types that are bound to the event queue.
    ///   - delay: the delay of a retry, in milliseconds.
    ///   - deliveryLimit: the delivery limit of the queues of commands and events.
    func declare(
        commandTypes: [String], queryTypes: [String], eventTypes: [String], delay: Int64, deliveryLimit: Int64
    ) async throws {
        var steps: [Provisioner.Step] = [Exchange.commands, Exchange.events, Exchange.retry, Exchange.requeue].map {
            .exchange($0, type: "topic")
        }
        steps += [Exchange.replies, Exchange.dead].map { .exchange($0, type: "direct") }
        steps.append(
            .queue(
                queries, arguments: ["x-queue-type": "classic", "x-max-length": 10000, "x-overflow": "reject-publish"]))
        steps.append(
            .queue(
                waiting,
                arguments: [
                    "x-queue-type": "quorum", "x-overflow": "reject-publish", "x-message-ttl": .int64(delay),
                    "x-dead-letter-exchange": .string(Exchange.requeue), "x-dead-letter-strategy": "at-least-once",
                ]))
        for queue in [commands, events] { steps += retried(queue, deliveryLimit: deliveryLimit) }
        steps += commandTypes.map { .binding(queue: commands, exchange: Exchange.commands, key: $0) }
        steps += queryTypes.map { .binding(queue: queries, exchange: Exchange.commands, key: $0) }
        steps += eventTypes.map { .binding(queue: events, exchange: Exchange.events, key: $0) }
        try await provisioner.perform(steps)
    }

    func delete() async throws {
        let dead = [commands, events].map { Queue.dead(of: $0) }
        try await provisioner.perform(([commands, queries, events, waiting] + dead).map { .deleteQueue($0) })
    }

    func depth(_ queue: String) async throws -> Int {
        try await provisioner.depth(ofQueue: queue).ready
    }

    private func retried(_ queue: String, deliveryLimit: Int64) -> [Provisioner.Step] {
        [
            .queue(
                queue,
                arguments: [
                    "x-queue-type": "quorum", "x-max-length": 100000, "x-overflow": "reject-publish",
                    "x-delivery-limit": .int64(deliveryLimit), "x-dead-letter-exchange": .string(Exchange.dead),
                    "x-dead-letter-routing-key": .string(queue), "x-dead-letter-strategy": "at-least-once",
                ]),
            .queue(Queue.dead(of: queue), arguments: ["x-queue-type": "quorum"]),
            .binding(queue: Queue.dead(of: queue), exchange: Exchange.dead, key: queue),
            .binding(queue: waiting, exchange: Exchange.retry, key: "*.\(queue)"),
            .binding(queue: queue, exchange: Exchange.requeue, key: "*.\(queue)"),
        ]
    }
}
