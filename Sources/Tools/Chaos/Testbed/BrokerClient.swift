import AMQP
import Logging
import Reactor

/// Connections of the suite to the broker.
enum BrokerClient {
    /// The name of the connections, as the broker shows it.
    static let name = "warren-chaos"

    /// How long to wait for a connection.
    private static let limit: Duration = .seconds(10)

    /// Runs a body with a publisher, and closes the publisher afterwards.
    ///
    /// - Throws: the error of the body; ``ChaosError`` if the broker cannot be reached within 10 s.
    @Loop static func publishing<Value: Sendable>(
        _ address: BrokerAddress, _ body: @Loop (Publisher) async throws -> Value
    ) async throws -> Value {
        let publisher = Publisher(address: address, name: name, log: .discarding)
        async let running: Void = publisher.run()
        let result: Result<Value, any Error>
        do {
            guard await publisher.waitUntilAvailable(within: limit) else {
                throw ChaosError("the user \(address.user) cannot publish")
            }
            result = .success(try await body(publisher))
        } catch {
            result = .failure(error)
        }
        await publisher.close()
        await running
        return try result.get()
    }

    /// Runs a body while a consumer is active, and closes the consumer afterwards.
    ///
    /// - Throws: the error of the body; ``ChaosError`` if the consumer is not active within 10 s.
    @Loop static func consuming(
        _ address: BrokerAddress, _ subscription: Subscription, _ body: @Loop (Consumer) async throws -> Void
    ) async throws {
        let consumer = Consumer(address: address, name: name, subscriptions: [subscription], log: .discarding)
        async let running: Void = consumer.run()
        let result: Result<Void, any Error>
        do {
            guard await consumer.waitUntilConsuming(within: limit) else {
                throw ChaosError("the user \(address.user) cannot consume")
            }
            result = .success(try await body(consumer))
        } catch {
            result = .failure(error)
        }
        await consumer.close()
        await running
        try result.get()
    }
}

extension Logger {
    /// Discards all lines, because the faults break the connections of the suite on purpose.
    static let discarding = Logger(label: BrokerClient.name) { _ in SwiftLogNoOpLogHandler() }
}
