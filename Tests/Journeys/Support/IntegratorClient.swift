import AMQP
import Contracts
import Foundation
import Logging
import Reactor
import TestSupport
import Testing

/// A client of the queues with the rights of an integrator (`queues/README.md`).
@Loop final class IntegratorClient {
    /// A reply, as received.
    struct Reply: Sendable {
        let status: Int64
        let properties: Properties
        let body: [UInt8]

        var json: JSON {
            get throws { try JSON.parse(body, limits: .trusted) }
        }
    }

    let publisher: Publisher
    private let consumer: Consumer
    private let user: String
    private let replyKey: String
    private let received: ReceivedReplies

    /// The replies received and not yet returned, by correlation id.
    @Loop private final class ReceivedReplies {
        var byCorrelationID: [String: Reply] = [:]
    }

    private init(_ address: BrokerAddress, user: String, log: Logger) {
        let (key, received) = ("integrator-\(UUID().uuidString)", ReceivedReplies())
        (self.user, replyKey, self.received) = (user, key, received)
        publisher = Publisher(address: address, name: "journeys", log: log)
        consumer = Consumer(
            address: address, name: "journeys",
            subscriptions: [
                .replies(exchange: Exchange.replies, key: key) { delivery in
                    guard let id = delivery.properties.correlationID else { return }
                    received.byCorrelationID[id] = Reply(
                        status: delivery.properties.headers[Header.status]?.int64 ?? 0,
                        properties: delivery.properties, body: delivery.body)
                }
            ], log: log)
    }

    /// Runs a body with a client that is connected to the stack's broker, then closes the client's connections.
    static func run(_ body: @Loop (IntegratorClient) async throws -> Void) async throws {
        let url = try TestEnvironment.value("WARREN_INTEGRATOR_URL")
        var log = Logger(label: "integrator")
        log.logLevel = .critical
        let integrator = IntegratorClient(try BrokerAddress(url: url), user: "integrator", log: log)
        async let publishing: Void = integrator.publisher.run()
        async let consuming: Void = integrator.consumer.run()
        let result = await outcome {
            try #require(await integrator.publisher.waitUntilAvailable(within: .seconds(10)))
            try #require(await integrator.consumer.waitUntilConsuming(within: .seconds(10)))
            try await body(integrator)
        }
        await integrator.publisher.close()
        await integrator.consumer.close()
        _ = await (publishing, consuming)
        try result.get()
    }

    /// Makes a request with all properties that `queues/README.md` lists.
    func makeRequest(
        _ type: String, _ body: JSON, isCommand: Bool = false, for account: TestAccount? = nil, id: UUID = UUID()
    ) -> OutgoingMessage {
        var headers: Headers = ["request-id": .string(id.uuidString)]
        headers[Header.deadline] = .int64(Int64((Date.now.timeIntervalSince1970 + 30) * 1000))
        if let account {
            headers[Header.subject] = .string(account.id)
            headers[Header.subjectName] = .string(account.username)
        }
        let properties = Properties(
            contentType: ContentType.json, headers: headers, isPersistent: isCommand,
            correlationID: UUID().uuidString, replyTo: replyKey, expiration: isCommand ? nil : 30_000,
            messageID: id.uuidString.lowercased(), timestamp: UInt64(Date.now.timeIntervalSince1970), type: type,
            userID: user, appID: "journeys")
        return OutgoingMessage(
            exchange: Exchange.commands, routingKey: type, isMandatory: true, properties: properties,
            body: body.serialized())
    }

    /// Publishes a request and waits for its reply, for 30 s at most.
    func reply(to request: OutgoingMessage) async throws -> Reply {
        let id = try #require(request.properties.correlationID)
        try await publisher.publishConfirmed(request)
        _ = try await eventually(within: .seconds(30)) { received.byCorrelationID[id] != nil }
        let reply = received.byCorrelationID.removeValue(forKey: id)
        return try #require(reply, "no reply within 30 s")
    }

    /// Makes a request, publishes it and waits for its reply, for 30 s at most.
    func reply(
        to type: String, _ body: JSON, isCommand: Bool = false, for account: TestAccount? = nil
    ) async throws -> Reply {
        try await reply(to: makeRequest(type, body, isCommand: isCommand, for: account))
    }
}
