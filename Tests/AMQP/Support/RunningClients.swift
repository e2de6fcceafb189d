import AMQP
import Logging
import Reactor
import TestSupport
import Testing

/// Runs a closure with a connected publisher, then closes the publisher.
@Loop func withPublisher<Value>(
    _ address: BrokerAddress, options: Publisher.Options = .init(), log: Logger = .quiet,
    _ body: @Loop (Publisher) async throws -> Value
) async throws -> Value {
    let publisher = Publisher(address: address, name: "test publisher", log: log, options: options)
    async let running: Void = publisher.run()
    guard await publisher.waitUntilAvailable(within: .seconds(10)) else { throw NotConnected() }
    let value = try await body(publisher)
    await publisher.close(within: .seconds(2))
    await running
    return value
}

/// Runs a closure with a connected consumer, then closes the consumer.
@Loop func withConsumer<Value>(
    _ address: BrokerAddress, _ subscriptions: [Subscription], log: Logger = .quiet,
    _ body: @Loop (Consumer) async throws -> Value
) async throws -> Value {
    let consumer = Consumer(address: address, name: "test consumer", subscriptions: subscriptions, log: log)
    async let running: Void = consumer.run()
    guard await consumer.waitUntilConsuming(within: .seconds(10)) else { throw NotConnected() }
    let value = try await body(consumer)
    await consumer.close()
    await running
    return value
}

struct NotConnected: Error {}

/// Collects deliveries on the loop.
@Loop final class Inbox {
    var deliveries: [Delivery] = []
    var bodies: [String] { deliveries.map { String(decoding: $0.body, as: UTF8.self) } }
    nonisolated init() {}
}

extension OutgoingMessage {
    /// Makes a message with a text body that the default exchange routes to a queue.
    static func text(_ text: String, to queue: String, isMandatory: Bool = false, id: String? = nil) -> OutgoingMessage
    {
        OutgoingMessage(
            exchange: "", routingKey: queue, isMandatory: isMandatory, properties: Properties(messageID: id),
            body: [UInt8](text.utf8))
    }
}

/// Expects that a condition becomes true within a time limit.
@Loop func becomes(
    within limit: Duration = .seconds(10), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: @Loop () throws -> Bool
) async throws {
    let held = try await eventually(within: limit) { try condition() }
    #expect(held, sourceLocation: sourceLocation)
}
