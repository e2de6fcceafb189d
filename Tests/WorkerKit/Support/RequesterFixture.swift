import AMQP
import BrokerSupport
import DatabaseSupport
import FaultProxy
import FoundationEssentials
import Logging
import Reactor
import TestSupport
import Testing

@testable import Contracts
@testable import WorkerKit

/// A requester and the queues of its requests. The fixture consumes the requests. If `answers` is set, it also replies
/// to them.
@Loop final class RequesterFixture {
    let address: BrokerAddress
    /// The proxy between the requester's publisher and the broker.
    let proxy: FaultProxy
    let publisher: Publisher
    let requester: Requester
    let caller = Caller(id: UUID(), username: "someone")
    private(set) var received: [Delivery] = []

    let query: MessageDescriptor
    let command: MessageDescriptor
    let unboundQuery: MessageDescriptor
    let unboundCommand: MessageDescriptor
    /// A command whose queue can contain only one message.
    let crowded: MessageDescriptor

    /// The publisher of the replies.
    private let replier: Publisher
    private let answers: Bool
    private let prefix = "desk." + String(UInt64.random(in: .min ... .max), radix: 36)

    private init(
        answers: Bool, limit: Int, hasReplyQueue: Bool, claimCheckInterval: Duration, log: Logger,
        replyPrincipal: String?
    ) throws {
        let address = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        self.address = address
        proxy = try FaultProxy(to: address.port)
        self.answers = answers
        let proxied = address.at(port: proxy.port)
        publisher = Publisher(address: proxied, name: "test requester", log: .quiet)
        replier = Publisher(address: address, name: "test answerer", log: .quiet)
        let prefix = prefix
        let user = replyPrincipal ?? address.user
        requester = Requester(
            publisher: publisher, principal: address.user, limit: limit,
            replyQueue: hasReplyQueue ? "\(prefix).replies" : nil, claimCheckInterval: claimCheckInterval, log: log,
            replyPrincipal: { _ in user })
        func type(_ name: String, _ kind: MessageKind) -> MessageDescriptor {
            MessageType<EntityRequest, EmptyBody>(
                "\(prefix).\(name)", kind, of: .post, "", queue: "\(prefix).\(name)",
                request: .json(example: EntityRequest(id: .v7())),
                reply: .empty
            ).descriptor
        }
        query = type("query", .query)
        command = type("command", .command)
        unboundQuery = type("unbound", .query)
        unboundCommand = type("unbound", .command)
        crowded = type("crowded", .command)
    }

    /// - Parameters:
    ///   - answers: whether the fixture replies to each request.
    ///   - limit: the maximum number of requests in flight.
    ///   - hasReplyQueue: whether the requester uses an existing queue for the replies.
    ///   - claimCheckInterval: the interval at which the requester checks commands without a reply.
    ///   - log: the requester's log.
    ///   - replyPrincipal: the user from which the requester accepts replies; by default the fixture's own user.
    static func run(
        answers: Bool, limit: Int = 100, hasReplyQueue: Bool = false, claimCheckInterval: Duration = .seconds(360),
        log: Logger = .quiet, replyPrincipal: String? = nil, _ body: @Loop (RequesterFixture) async throws -> Void
    ) async throws {
        let fixture = try RequesterFixture(
            answers: answers, limit: limit, hasReplyQueue: hasReplyQueue, claimCheckInterval: claimCheckInterval,
            log: log,
            replyPrincipal: replyPrincipal)
        defer { fixture.proxy.stop() }
        let provisioner = Provisioner(address: fixture.address)
        let queues = ["query", "command", "crowded", "replies"].map { "\(fixture.prefix).\($0)" }
        try await provisioner.perform(
            [.exchange(Exchange.commands, type: "topic"), .exchange(Exchange.replies, type: "direct")]
                + queues.map {
                    .queue(
                        $0,
                        arguments: $0.hasSuffix("crowded") ? ["x-max-length": 1, "x-overflow": "reject-publish"] : [:])
                }
                + queues.map {
                    .binding(
                        queue: $0, exchange: $0.hasSuffix("replies") ? Exchange.replies : Exchange.commands, key: $0)
                })
        do {
            try await fixture.connected(to: Array(queues.prefix(2))) { try await body(fixture) }
        } catch {
            try? await provisioner.perform(queues.map { .deleteQueue($0) })
            throw error
        }
        try await provisioner.perform(queues.map { .deleteQueue($0) })
    }

    func request(_ type: MessageDescriptor, timeout: Duration) -> OutgoingRequest {
        var request = OutgoingRequest(type, caller: caller, body: Array("{}".utf8), requestID: "test")
        request.timeout = timeout
        return request
    }

    /// Makes a request with a short timeout that counts against the share of a client.
    func claiming(_ type: MessageDescriptor, _ client: ClientKey, awaitsReply: Bool = true) -> OutgoingRequest {
        var request = request(type, timeout: awaitsReply ? .milliseconds(500) : .seconds(30))
        request.clients = [client]
        request.awaitsReply = awaitsReply
        return request
    }

    /// Publishes a message to the reply exchange. The message need not be a valid reply.
    ///
    /// - Parameters:
    ///   - type: the property `type`; by default the reply's type of the request with this correlation id.
    ///   - isVerified: whether the message has the property `user_id`, by which the broker verifies the sender.
    func publish(
        status: Int64, correlation: String?, to key: String, type: String? = nil, isVerified: Bool = true
    ) async throws {
        var properties = Properties()
        properties.correlationID = correlation
        let request = received.last { $0.properties.correlationID == correlation }
        properties.type = type ?? request?.properties.type.map { "\($0).reply" }
        properties.userID = isVerified ? address.user : nil
        properties.contentType = ContentType.json
        properties.headers[Header.status] = .int64(status)
        properties.headers[Header.etag] = #""7""#
        properties.headers[Header.location] = "/v1/x"
        properties.headers[Header.retryAfter] = 3
        try await replier.publishConfirmed(
            OutgoingMessage(
                exchange: Exchange.replies, routingKey: key, isMandatory: true, properties: properties,
                body: Array("{}".utf8)))
    }

    /// Sends another request and replies to it. When this reply has arrived, all earlier replies have arrived, too.
    ///
    /// - Returns: whether the reply arrived.
    func settles() async throws -> Bool {
        var isAnswered = false
        let count = received.count
        requester.send(request(query, timeout: .seconds(30))) { if case .reply = $0 { isAnswered = true } }
        guard try await eventually({ received.count == count + 1 }), let last = received.last,
            let key = last.properties.replyTo
        else { return false }
        try await publish(status: 204, correlation: last.properties.correlationID, to: key)
        return try await eventually { isAnswered }
    }

    private func connected(to queues: [String], _ body: @Loop () async throws -> Void) async throws {
        let taking = queues.map { queue in
            Subscription.queue(queue, prefetch: 100) { [weak self] in self?.receive($0) }
        }
        let address = address
        let consumer = Consumer(
            address: address, name: "test fixture", subscriptions: [requester.subscription] + taking, log: .quiet)
        let (publisher, replier) = (self.publisher, self.replier)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await publisher.run() }
            group.addTask { await replier.run() }
            group.addTask { await consumer.run() }
            func close() async {
                await consumer.close()
                await publisher.close(within: .seconds(2))
                await replier.close(within: .seconds(2))
            }
            do {
                let isPublishing = await publisher.waitUntilAvailable(within: .seconds(20))
                let isAnswering = await replier.waitUntilAvailable(within: .seconds(20))
                try #require(isPublishing && isAnswering)
                try #require(await consumer.waitUntilConsuming(within: .seconds(20)))
                try await body()
            } catch {
                await close()
                throw error
            }
            await close()
        }
    }

    private func receive(_ delivery: Delivery) {
        received.append(delivery)
        delivery.ack()
        guard answers, let key = delivery.properties.replyTo else { return }
        let correlation = delivery.properties.correlationID
        var properties = Properties()
        properties.correlationID = correlation
        properties.type = delivery.properties.type.map { "\($0).reply" }
        properties.userID = address.user
        properties.contentType = ContentType.json
        properties.headers[Header.status] = 200
        properties.headers[Header.etag] = #""7""#
        properties.headers[Header.location] = "/v1/x"
        properties.headers[Header.retryAfter] = 3
        try? replier.publish(
            OutgoingMessage(
                exchange: Exchange.replies, routingKey: key, properties: properties, body: Array("{}".utf8)))
    }
}
