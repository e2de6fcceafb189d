import AMQP
import BrokerSupport
import Contracts
import Foundation
import LocalStack
import Logging
import Reactor
import TestSupport
import Testing

/// A broker user and an operation that the broker must allow or refuse.
struct PermissionCheck: Sendable, CustomTestStringConvertible {
    enum Operation: Sendable {
        /// Publishes to an exchange under a routing key.
        case publish(String, String)
        case perform(Provisioner.Step)
        /// Purges a queue, which needs the same right as reading it. Use this only for queues that the user must not
        /// read, because an allowed purge empties the queue.
        case read(String)
    }

    let user: String
    let operation: Operation

    init(_ user: String, _ operation: Operation) {
        self.user = user
        self.operation = operation
    }

    var testDescription: String { "\(user): \(operation)" }

    /// Performs the operation.
    ///
    /// - Parameter properties: the properties of the message, if the operation publishes one.
    /// - Returns: the broker's reason if it refused the operation; `nil` if it allowed the operation.
    @Loop func refusal(_ properties: Properties = Properties()) async throws -> String? {
        let address = try BrokerAddress(url: url())
        switch operation {
        case .publish(let exchange, let key):
            return try await refusal(
                OutgoingMessage(exchange: exchange, routingKey: key, properties: properties, body: []), address)
        case .perform(let step): return await refusal(step, address)
        case .read(let queue): return await refusal(.purge(queue), address)
        }
    }

    private func url() throws -> String {
        switch user {
        case "integrator": try TestEnvironment.value("WARREN_INTEGRATOR_URL")
        case "operator": try TestEnvironment.value("WARREN_OPERATOR_URL")
        default: try Stack().secret("\(user)-amqp.url")
        }
    }

    private func refusal(_ step: Provisioner.Step, _ address: BrokerAddress) async -> String? {
        do {
            try await Provisioner(address: address).perform([step])
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Loop private func refusal(_ message: OutgoingMessage, _ address: BrokerAddress) async throws -> String? {
        // The error of a publish does not contain the broker's reason, but the driver logs it.
        let log = CapturedLog()
        let publisher = Publisher(address: address, name: "journeys", log: log.logger(.warning))
        async let running: Void = publisher.run()
        try #require(await publisher.waitUntilAvailable(within: .seconds(10)))
        var isAllowed = true
        do {
            try await publisher.publishConfirmed(message)
        } catch {
            isAllowed = false
            _ = try await eventually(within: .seconds(5)) { log.text.contains("connection to the broker lost") }
        }
        await publisher.close()
        await running
        return isAllowed ? nil : log.text
    }
}
