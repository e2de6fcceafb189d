import AMQP
import Contracts
import Foundation
import Logging
import Reactor
import TestSupport
import Testing

/// A program that talks to Warren at its queues, as `MESSAGES.md` allows anyone with a broker user to.
@Loop final class Integrator {
    /// A reply as it came.
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
    private let inbox: Inbox

    /// What came in, by correlation id.
    @Loop private final class Inbox {
        var replies: [String: Reply] = [:]
    }

    private init(_ address: BrokerAddress, user: String, log: Logger) {
        let (key, inbox) = ("integrator-\(UUID().uuidString)", Inbox())
        (self.user, replyKey, self.inbox) = (user, key, inbox)
        publisher = Publisher(address: address, name: "journeys", log: log)
        consumer = Consumer(
            address: address, name: "journeys",
            subscriptions: [
                .replies(exchange: Exchange.replies, key: key) { delivery in
                    guard let id = delivery.properties.correlationID else { return }
                    inbox.replies[id] = Reply(
                        status: delivery.properties.headers[Header.status]?.int64 ?? 0,
                        properties: delivery.properties, body: delivery.body)
                }
            ], log: log)
    }

    /// Connects as the integrator of the stack for as long as the body runs.
    static func run(_ body: @Loop (Integrator) async throws -> Void) async throws {
        let url = try TestEnvironment.value("WARREN_INTEGRATOR_URL")
        var log = Logger(label: "integrator")
        log.logLevel = .critical
        let integrator = Integrator(try BrokerAddress(url: url), user: "integrator", log: log)
        async let publishing: Void = integrator.publisher.run()
        async let consuming: Void = integrator.consumer.run()
        do {
            try #require(await integrator.publisher.waitUntilAvailable(within: .seconds(10)))
            try #require(await integrator.consumer.waitUntilConsuming(within: .seconds(10)))
            try await body(integrator)
        } catch {
            await integrator.close()
            throw error
        }
        await integrator.close()
        _ = await (publishing, consuming)
    }

    private func close() async {
        await publisher.close()
        await consumer.close()
    }

    /// A request as `MESSAGES.md` describes it.
    func request(
        _ type: String, _ body: JSON, isCommand: Bool = false, by person: Person? = nil, id: UUID = UUID()
    ) -> OutgoingMessage {
        var headers: Headers = ["request-id": .string(id.uuidString)]
        headers[Header.deadline] = .int64(Int64((Date.now.timeIntervalSince1970 + 30) * 1000))
        if let person {
            headers[Header.subject] = .string(person.id)
            headers[Header.subjectName] = .string(person.username)
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

    /// Sends a request and waits for its reply.
    func call(_ message: OutgoingMessage) async throws -> Reply {
        let id = try #require(message.properties.correlationID)
        try await publisher.publishConfirmed(message)
        _ = try await eventually(within: .seconds(30)) { inbox.replies[id] != nil }
        let reply = inbox.replies.removeValue(forKey: id)
        return try #require(reply, "no reply within 30 s")
    }

    /// Sends a request and waits for its reply.
    func call(_ type: String, _ body: JSON, isCommand: Bool = false, by person: Person? = nil) async throws -> Reply {
        try await call(request(type, body, isCommand: isCommand, by: person))
    }
}
