import AMQP
import Contracts
import FoundationEssentials
import LocalStack
import Reactor

/// A client of the queues with the rights of an integrator (`queues/README.md`).
@Loop struct Integrator {
    private let publisher: Publisher

    /// Runs a body with a connected client.
    static func run(_ testbed: Testbed, _ body: @Loop (Integrator) async throws -> Void) async throws {
        let address = testbed.addresses.broker(
            user: "integrator", password: try testbed.stack.secret("amqp-integrator"))
        try await BrokerClient.publishing(address) { try await body(Integrator(publisher: $0)) }
    }

    /// Publishes a command on behalf of nobody.
    func publish(_ routingKey: String, type: String, body: String) async throws {
        let id = UUID.v7().text
        let properties = Properties(
            contentType: "application/json", isPersistent: true, correlationID: id, messageID: id, type: type,
            userID: "integrator")
        try await publisher.publishConfirmed(
            OutgoingMessage(
                exchange: Exchange.commands, routingKey: routingKey, isMandatory: true, properties: properties,
                body: Array(body.utf8)))
    }
}
