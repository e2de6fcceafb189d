import AMQP
import Contracts
import FoundationEssentials
import LocalStack
import Logging
import Reactor

/// A client of the queues with the rights of an integrator (`queues/README.md`).
@Loop struct Integrator {
    private let publisher: Publisher

    /// Runs a body with a connected client.
    static func run(_ world: World, _ body: @Loop (Integrator) async throws -> Void) async throws {
        let address = world.addresses.broker(
            user: "integrator", password: try world.stack.secret("amqp-integrator"))
        let publisher = Publisher(
            address: address, name: "warren-chaos",
            log: Logger(label: "warren-chaos") { _ in SwiftLogNoOpLogHandler() })
        async let publishing: Void = publisher.run()
        let result: Result<Void, any Error>
        do {
            guard await publisher.waitUntilAvailable(within: .seconds(10)) else {
                throw ChaosError("the integrator cannot publish")
            }
            result = .success(try await body(Integrator(publisher: publisher)))
        } catch {
            result = .failure(error)
        }
        await publisher.close()
        await publishing
        try result.get()
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
