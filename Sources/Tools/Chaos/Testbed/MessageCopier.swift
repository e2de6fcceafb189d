import AMQP
import Contracts
import LocalStack
import Reactor

/// A broker user of the suite that may publish messages in the name of others (the tag `impersonator` of RabbitMQ), to
/// repeat and to reorder them.
@Loop final class MessageCopier {
    private static let user = "chaos"
    private static let queue = "chaos.copies"
    /// The header that marks a copy, so that it is not copied again.
    private static let mark = "x-chaos-copy"

    /// The number of copies that the broker has confirmed, by routing key.
    private(set) var counts: [String: Int] = [:]
    private let publisher: Publisher

    private init(_ publisher: Publisher) {
        self.publisher = publisher
    }

    /// Copies every message that is published to the given exchanges with the given keys, while the body runs.
    static func run(
        _ testbed: Testbed, bindings: [(exchange: String, key: String)],
        _ body: @Loop (MessageCopier) async throws -> Void
    ) async throws {
        try await connected(testbed) { copier, address in
            try await testbed.broker.declare(queue: queue, bindings: bindings)
            let subscription = Subscription.queue(queue, prefetch: 500) { copier.copy($0) }
            try await BrokerClient.consuming(address, subscription) { _ in try await body(copier) }
            // If a queue is deleted while messages are published to it, RabbitMQ 3.10 closes connections.
            for binding in bindings {
                try await testbed.broker.unbind(queue: queue, exchange: binding.exchange, key: binding.key)
            }
            _ = try await testbed.stack.rabbitmqctl("delete_queue", "-p", "warren", queue)
        }
    }

    /// Takes all messages from a queue that has no other consumer, and publishes them again in reverse order.
    ///
    /// - Returns: the number of messages.
    static func reverse(_ testbed: Testbed, queue: String) async throws -> Int {
        try await connected(testbed) { copier, address in
            let taken = TakenDeliveries()
            var count = 0
            let subscription = Subscription.queue(queue, prefetch: 10_000) { taken.all.append($0) }
            try await BrokerClient.consuming(address, subscription) { consumer in
                try await Loop.sleep(for: .seconds(1))
                // From now on, the queue keeps what arrives, also the copies.
                await consumer.pause()
                count = taken.all.count
                // The broker confirms the copies while later ones are published; they keep their order.
                for delivery in taken.all.reversed() { copier.publish(copier.message(delivery), then: delivery) }
                let deadline = ContinuousClock.now + .seconds(30)
                while copier.counts.values.reduce(0, +) < count {
                    guard .now < deadline else { throw ChaosError("the messages of \(queue) were not published") }
                    try await Loop.sleep(for: .milliseconds(20))
                }
            }
            return count
        }
    }

    @Loop private final class TakenDeliveries {
        var all: [Delivery] = []
    }

    // MARK: Copies

    private func copy(_ delivery: Delivery) {
        guard delivery.properties.headers[Self.mark] == nil else {
            delivery.ack()
            return
        }
        publish(message(delivery), then: delivery)
    }

    /// Publishes a copy, and acknowledges the delivery when the broker has confirmed the copy.
    private func publish(_ copy: OutgoingMessage, then delivery: Delivery) {
        do {
            try publisher.publish(copy) { result in
                guard case .success = result else {
                    delivery.reject(requeue: true)
                    return
                }
                self.counts[copy.routingKey, default: 0] += 1
                delivery.ack()
            }
        } catch {
            delivery.reject(requeue: true)
        }
    }

    private func message(_ delivery: Delivery) -> OutgoingMessage {
        var properties = delivery.properties
        properties.headers[Self.mark] = .bool(true)
        return OutgoingMessage(
            exchange: delivery.exchange, routingKey: delivery.routingKey, isMandatory: true, properties: properties,
            body: delivery.body)
    }

    private static func connected<Value: Sendable>(
        _ testbed: Testbed, _ body: @Loop (MessageCopier, BrokerAddress) async throws -> Value
    ) async throws -> Value {
        let password = try await testbed.broker.makeImpersonator(user)
        let address = testbed.addresses.broker(user: user, password: password)
        return try await BrokerClient.publishing(address) { try await body(MessageCopier($0), address) }
    }
}
