import AMQP
import BrokerSupport
import Logging
import Reactor
import Synchronization
import TestSupport
import Testing

/// The queues and exchanges of one test on the real broker, with unique names.
struct TestTopology {
    let address: BrokerAddress
    let provisioner: Provisioner
    private let prefix = "test." + String(UInt64.random(in: .min ... .max), radix: 36)
    private let cleanUp = CleanUp()

    private final class CleanUp: Sendable {
        @Loop var steps: [Provisioner.Step] = []
    }

    init() throws {
        address = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        provisioner = Provisioner(address: address)
    }

    /// Runs the body of a test, then deletes its queues and exchanges, also if the body throws.
    @Loop static func run(_ body: @Loop (TestTopology) async throws -> Void) async throws {
        let topology = try TestTopology()
        do {
            try await body(topology)
        } catch {
            try? await topology.provisioner.perform(topology.cleanUp.steps)
            throw error
        }
        try await topology.provisioner.perform(topology.cleanUp.steps)
    }

    func name(_ suffix: String) -> String { "\(prefix).\(suffix)" }

    /// Declares a queue and returns its name.
    @Loop func queue(_ suffix: String = "queue", arguments: Headers = [:]) async throws -> String {
        let name = name(suffix)
        cleanUp.steps.append(.deleteQueue(name))
        try await provisioner.perform([.queue(name, arguments: arguments)])
        return name
    }

    /// Declares an exchange and returns its name.
    @Loop func exchange(_ suffix: String = "exchange", type: String = "direct") async throws -> String {
        let name = name(suffix)
        cleanUp.steps.append(.deleteExchange(name))
        try await provisioner.perform([.exchange(name, type: type)])
        return name
    }
}

/// A logger without output.
let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// A logger whose messages a test can read.
final class RecordedLog: Sendable {
    private let recorded = Mutex<[String]>([])

    var messages: [String] { recorded.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "tests") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.recorded.withLock { $0.append("\(event.message)") }
        }
    }
}

/// Runs a connected publisher during the body, then closes it.
@Loop func withPublisher<Value>(
    _ address: BrokerAddress, options: Publisher.Options = .init(), log: Logger = quiet,
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

/// Runs a connected consumer during the body, then closes it.
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
