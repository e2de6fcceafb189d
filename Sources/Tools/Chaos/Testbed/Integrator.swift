import AMQP
import Contracts
import FoundationEssentials
import LocalStack
import Reactor

/// A client of the queues with the rights of an integrator (`queues/README.md`). It sends commands on behalf of an
/// account.
@Loop final class Integrator {
    /// A command, and the status that its reply must have.
    struct Command: Sendable {
        let routingKey: String
        let type: String
        let body: String
        let hasID: Bool
        let hasSubject: Bool
        let status: Int

        init(
            _ routingKey: String, type: String? = nil, body: String, hasID: Bool = true, hasSubject: Bool = true,
            status: Int
        ) {
            self.routingKey = routingKey
            self.type = type ?? routingKey
            self.body = body
            self.hasID = hasID
            self.hasSubject = hasSubject
            self.status = status
        }
    }

    private let publisher: Publisher
    private let replies: Replies
    private let account: Clients.Account
    private var sent: [String: Command] = [:]

    /// The statuses of the replies by correlation id.
    @Loop private final class Replies {
        let key = UUID.v7().text
        var statuses: [String: Int] = [:]
    }

    private init(_ publisher: Publisher, _ replies: Replies, _ account: Clients.Account) {
        self.publisher = publisher
        self.replies = replies
        self.account = account
    }

    /// Runs a body with a connected client.
    static func run(_ testbed: Testbed, _ body: @Loop (Integrator) async throws -> Void) async throws {
        guard let account = testbed.clients.accounts.first else { throw ChaosError("no account is registered") }
        let address = testbed.addresses.broker(
            user: "integrator", password: try testbed.stack.secret("amqp-integrator"))
        let replies = Replies()
        let subscription = Subscription.replies(exchange: Exchange.replies, key: replies.key) { delivery in
            guard let id = delivery.properties.correlationID else { return }
            replies.statuses[id] = delivery.properties.headers[Header.status]?.int64.map { Int($0) } ?? 0
        }
        try await BrokerClient.publishing(address) { publisher in
            try await BrokerClient.consuming(address, subscription) { _ in
                try await body(Integrator(publisher, replies, account))
            }
        }
    }

    /// Publishes a command.
    func publish(_ command: Command) async throws {
        let id = UUID.v7().text
        var properties = Properties(
            contentType: ContentType.json, isPersistent: true, correlationID: id, replyTo: replies.key,
            messageID: command.hasID ? id : nil, type: command.type, userID: "integrator")
        if command.hasSubject {
            properties.headers[Header.subject] = .string(account.id)
            properties.headers[Header.subjectName] = .string(account.name)
        }
        sent[id] = command
        try await publisher.publishConfirmed(
            OutgoingMessage(
                exchange: Exchange.commands, routingKey: command.routingKey, isMandatory: true,
                properties: properties, body: Array(command.body.utf8)))
    }

    /// Waits until all commands have a reply, or the time is over.
    func awaitReplies(within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while replies.statuses.count < sent.count, .now < deadline { try await Loop.sleep(for: .milliseconds(50)) }
    }

    /// A line for each kind of command that got another status than the right one, or no reply.
    var findings: [String] {
        let wrong = sent.filter { replies.statuses[$0.key] != $0.value.status }.map { id, command in
            let status = replies.statuses[id].map { "\($0)" } ?? "no reply"
            return "\(command.type) with the body \(command.body) got \(status) instead of \(command.status)"
        }
        return Dictionary(grouping: wrong) { $0 }.map { "\($0.key) (\($0.value.count) messages)" }.sorted()
    }
}
