import AMQP
import Contracts
import DatabaseSupport
import FoundationEssentials
import Logging
import Reactor
import TestSupport

@testable import WorkerKit

/// Sends requests with arbitrary properties and records every reply.
@Loop final class TestClient {
    /// The awaited connection or reply did not arrive within the time limit.
    struct Timeout: Error {
        let awaited: String
    }

    /// The broker user of the tests.
    let user: String
    let publisher: Publisher
    private let consumer: Consumer
    private let key = UUID().text
    private let received: Received

    private final class Received: Sendable {
        @Loop var replies: [String: [Delivery]] = [:]
        @Loop var taken: [String: [Delivery]] = [:]
    }

    /// - Parameter watching: the queues whose deliveries the client consumes and records.
    init(_ address: BrokerAddress, watching queues: [String] = []) {
        user = address.user
        publisher = Publisher(address: address, name: "test client", log: .quiet)
        let received = Received()
        self.received = received
        var subscriptions = [
            Subscription.replies(exchange: Exchange.replies, key: key) { delivery in
                received.replies[delivery.properties.correlationID ?? "", default: []].append(delivery)
            }
        ]
        for queue in queues {
            subscriptions.append(
                .queue(queue, prefetch: 100) { delivery in
                    received.taken[queue, default: []].append(delivery)
                    delivery.ack()
                })
        }
        consumer = Consumer(address: address, name: "test client", subscriptions: subscriptions, log: .quiet)
    }

    /// Runs a body with a connected client. The client is closed afterwards.
    func connected(_ body: @Loop () async throws -> Void) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.publisher.run() }
            group.addTask { await self.consumer.run() }
            do {
                guard await publisher.waitUntilAvailable(within: .seconds(20)),
                    await consumer.waitUntilConsuming(within: .seconds(20))
                else { throw Timeout(awaited: "a connection to the broker") }
                try await body()
            } catch {
                await close()
                throw error
            }
            await close()
        }
    }

    private func close() async {
        await publisher.close(within: .seconds(2))
        await consumer.close()
    }

    /// Sends a request.
    ///
    /// - Parameter change: changes the message before it is sent. The changed message may violate the contract.
    /// - Returns: the correlation id of the reply.
    @discardableResult func send(
        _ type: String, _ body: String, id: UUID = .v7(), subject: UUID? = nil,
        change: (inout OutgoingMessage) -> Void = { _ in }
    ) async throws -> String {
        let correlation = UUID().text
        var properties = Properties()
        properties.type = type
        properties.messageID = id.text
        properties.correlationID = correlation
        properties.replyTo = key
        properties.contentType = ContentType.json
        properties.isPersistent = true
        properties.userID = user
        if let subject {
            properties.headers[Header.subject] = .string(subject.text)
            properties.headers[Header.subjectName] = "someone"
        }
        var message = OutgoingMessage(
            exchange: Exchange.commands, routingKey: type, isMandatory: true, properties: properties,
            body: Array(body.utf8))
        change(&message)
        try await publisher.publishConfirmed(message)
        return correlation
    }

    /// Waits for the first reply to a request.
    func reply(to correlation: String, within limit: Duration = .seconds(20)) async throws -> Reply {
        guard try await eventually(within: limit, { received.replies[correlation] != nil }),
            let reply = replies(to: correlation).first
        else { throw Timeout(awaited: "a reply") }
        return reply
    }

    /// Returns the recorded replies to a request.
    func replies(to correlation: String) -> [Reply] {
        (received.replies[correlation] ?? []).compactMap { ReplyMessage.read($0) }
    }

    /// Returns the recorded deliveries of a watched queue.
    func taken(from queue: String) -> [Delivery] { received.taken[queue] ?? [] }

    /// Sends a request and waits for its reply.
    func ask(
        _ type: String, _ body: String, id: UUID = .v7(), subject: UUID? = nil,
        change: (inout OutgoingMessage) -> Void = { _ in }
    ) async throws -> Reply {
        try await reply(to: send(type, body, id: id, subject: subject, change: change))
    }
}

extension Reply {
    /// The code of the problem in the body; `nil` if there is none.
    var problem: String? {
        guard case .object(let object)? = try? JSON.parse(body), case .string(let code)? = object["code"] else {
            return nil
        }
        return code
    }
}
