import AMQP
import Logging
import Reactor
import TestSupport
import Testing

/// Queues and exchanges of one test, under names that no other test has, on the real broker.
struct Scratch {
    let address: BrokerAddress
    let provisioner: Provisioner
    private let prefix = "test." + String(UInt64.random(in: .min ... .max), radix: 36)
    private let undo = Undo()

    private final class Undo: Sendable {
        @Loop var steps: [Provisioner.Step] = []
    }

    init() throws {
        address = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        provisioner = Provisioner(address: address, name: "tests")
    }

    /// Runs a test's body, then deletes what it made, also where it throws.
    @Loop static func run(_ body: @Loop (Scratch) async throws -> Void) async throws {
        let scratch = try Scratch()
        do {
            try await body(scratch)
        } catch {
            try? await scratch.provisioner.perform(scratch.undo.steps)
            throw error
        }
        try await scratch.provisioner.perform(scratch.undo.steps)
    }

    func name(_ suffix: String) -> String { "\(prefix).\(suffix)" }

    /// Declares a queue and gives its name.
    @Loop func queue(_ suffix: String = "queue", arguments: Headers = [:]) async throws -> String {
        let name = name(suffix)
        undo.steps.append(.deleteQueue(name))
        try await provisioner.perform([.queue(name, arguments: arguments)])
        return name
    }

    /// Declares an exchange and gives its name.
    @Loop func exchange(_ suffix: String = "exchange", type: String = "direct") async throws -> String {
        let name = name(suffix)
        undo.steps.append(.deleteExchange(name))
        try await provisioner.perform([.exchange(name, type: type)])
        return name
    }
}

/// A log that keeps what it is told, for tests that look.
let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// Runs a publisher while the body does, and closes it.
@Loop func withPublisher<Value>(
    _ address: BrokerAddress, options: Publisher.Options = .init(), _ body: @Loop (Publisher) async throws -> Value
) async throws -> Value {
    let publisher = Publisher(address: address, name: "test publisher", log: quiet, options: options)
    async let running: Void = publisher.run()
    guard await publisher.waitUntilAvailable(within: .seconds(10)) else { throw NotConnected() }
    let value = try await body(publisher)
    await publisher.close(within: .seconds(2))
    await running
    return value
}

/// Runs a consumer while the body does, and closes it.
@Loop func withConsumer<Value>(
    _ address: BrokerAddress, _ subscriptions: [Subscription], _ body: @Loop (Consumer) async throws -> Value
) async throws -> Value {
    let consumer = Consumer(address: address, name: "test consumer", subscriptions: subscriptions, log: quiet)
    async let running: Void = consumer.run()
    guard await consumer.waitUntilConsuming(within: .seconds(10)) else { throw NotConnected() }
    let value = try await body(consumer)
    await consumer.close()
    await running
    return value
}

struct NotConnected: Error {}

/// Gathers deliveries on the loop.
@Loop final class Inbox {
    var deliveries: [Delivery] = []
    var bodies: [String] { deliveries.map { String(decoding: $0.body, as: UTF8.self) } }
    nonisolated init() {}
}

extension OutgoingMessage {
    /// A text to a queue by the default exchange.
    static func text(_ text: String, to queue: String, isMandatory: Bool = false, id: String? = nil) -> OutgoingMessage
    {
        OutgoingMessage(
            exchange: "", routingKey: queue, isMandatory: isMandatory, properties: Properties(messageID: id),
            body: [UInt8](text.utf8))
    }
}

/// Expects that a condition comes to hold.
@Loop func becomes(
    within limit: Duration = .seconds(10), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: @Loop () throws -> Bool
) async throws {
    let held = try await eventually(within: limit) { try condition() }
    #expect(held, sourceLocation: sourceLocation)
}
