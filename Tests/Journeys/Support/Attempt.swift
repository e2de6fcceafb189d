import AMQP
import BrokerSupport
import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

/// Something that a broker user tries to do.
struct Attempt: Sendable, CustomTestStringConvertible {
    /// What is tried.
    enum Act: Sendable {
        case publish(String, String)
        case perform(Provisioner.Step)
        /// Takes messages from a queue; only for those who may not, since it would empty it.
        case read(String)
    }

    let user: String
    let act: Act

    init(_ user: String, _ act: Act) {
        self.user = user
        self.act = act
    }

    var testDescription: String { "\(user): \(act)" }

    /// Why the broker refuses it; nothing where it lets it happen.
    @Loop func refusal(_ properties: Properties = Properties()) async throws -> String? {
        let name = user == "integrator" ? try TestEnvironment.value("WARREN_INTEGRATOR_URL") : try url()
        let address = try BrokerAddress(url: name)
        switch act {
        case .publish(let exchange, let key):
            return try await refusal(
                OutgoingMessage(exchange: exchange, routingKey: key, properties: properties, body: []), address)
        case .perform(let step): return await refusal(step, address)
        case .read(let queue): return await refusal(.purge(queue), address)
        }
    }

    private func url() throws -> String {
        user == "operator" ? try TestEnvironment.value("WARREN_OPERATOR_URL") : try Stack().secret("\(user)-amqp.url")
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
        let log = CapturedLog()
        let publisher = Publisher(address: address, name: "journeys", log: log.logger)
        async let running: Void = publisher.run()
        try #require(await publisher.waitUntilAvailable(within: .seconds(10)))
        var isTaken = true
        do {
            try await publisher.publishConfirmed(message)
        } catch {
            isTaken = false
            _ = try await eventually(within: .seconds(5)) { log.text.contains("connection to the broker lost") }
        }
        await publisher.close()
        await running
        return isTaken ? nil : log.text
    }
}
