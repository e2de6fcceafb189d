import Contracts
import Foundation
import TestSupport
import Testing

@Suite("Topology of queues/definitions.json")
struct TopologyTests {
    private let definitions: JSON

    init() throws {
        definitions = try JSON.parse(Array(RepositoryFile("queues/definitions.json").text.utf8), limits: .trusted)
    }

    private func names(_ kind: String) throws -> Set<String> {
        Set(try #require(definitions[kind]?.array).compactMap { $0["name"]?.string })
    }

    private func isBound(_ exchange: String, _ key: String, to queue: String) throws -> Bool {
        try #require(definitions["bindings"]?.array).contains {
            $0["source"]?.string == exchange && $0["routing_key"]?.string == key && $0["destination"]?.string == queue
        }
    }

    @Test("a message type is bound to its queue and to no other queue", arguments: Messages.descriptors)
    func messages(message: MessageDescriptor) throws {
        let isBound = try isBound(Exchange.commands, message.name, to: message.queue)
        #expect(isBound, "no binding from \(Exchange.commands) to \(message.queue) with the key \(message.name)")
        let bindings = try #require(definitions["bindings"]?.array)
        #expect(bindings.count { $0["routing_key"]?.string == message.name } == 1)
    }

    @Test(
        "an event type is bound to the event queues of its subscribers and to no other queue",
        arguments: EventDescriptor.all)
    func subscribers(event: EventDescriptor) throws {
        let bindings = try #require(definitions["bindings"]?.array).filter {
            $0["source"]?.string == Exchange.events && $0["routing_key"]?.string == event.type
        }
        let queues = bindings.compactMap { $0["destination"]?.string }
        #expect(queues.sorted() == event.subscribers.map(Queue.events).sorted(), "\(event.type)")
    }

    @Test("every binding of warren.commands and warren.events has the key of a type of the contract")
    func noOthers() throws {
        let bindings = try #require(definitions["bindings"]?.array)
        for (exchange, types) in [
            (Exchange.commands, Messages.descriptors.map(\.name)), (Exchange.events, EventDescriptor.all.map(\.type)),
        ] {
            let keys = bindings.filter { $0["source"]?.string == exchange }.compactMap { $0["routing_key"]?.string }
            #expect(Set(keys).subtracting(types) == [], "\(exchange)")
        }
    }

    @Test(
        "a command is routed to a quorum queue, and a query or credential to a classic queue",
        arguments: Messages.descriptors)
    func kinds(message: MessageDescriptor) throws {
        let type = try arguments(of: message.queue)["x-queue-type"]
        #expect(type == (message.kind == .command ? "quorum" : "classic"), "\(message.queue)")
    }

    @Test("queues/definitions.json declares exactly the exchanges and queues that the program names")
    func all() throws {
        #expect(
            try names("exchanges") == [
                Exchange.commands, Exchange.events, Exchange.replies, Exchange.retry, Exchange.requeue, Exchange.dead,
            ])
        let dead = Queue.quorum.map(Queue.dead(of:))
        let queues = Queue.quorum + Queue.classic + dead + RetryStep.allCases.map(\.queue)
        #expect(try names("queues") == Set(queues))
    }

    @Test("each exchange is durable, and only those of replies and dead letters are direct")
    func exchangeTypes() throws {
        let exchanges = try #require(definitions["exchanges"]?.array)
        let direct = [Exchange.replies, Exchange.dead]
        for exchange in exchanges {
            let name = try #require(exchange["name"]?.string)
            #expect(exchange["type"]?.string == (direct.contains(name) ? "direct" : "topic"), "\(name)")
            #expect(exchange["durable"] == true && exchange["auto_delete"] == false, "\(name)")
        }
    }

    @Test("a classic queue is bounded, rejects publishes when full and keeps no dead letters")
    func classicQueues() throws {
        for name in Queue.classic {
            let arguments = try arguments(of: name)
            #expect(arguments["x-queue-type"] == "classic" && arguments["x-overflow"] == "reject-publish", "\(name)")
            #expect(arguments["x-max-length"]?.integer ?? 0 > 0, "\(name)")
            #expect(arguments["x-dead-letter-exchange"] == nil, "\(name)")
        }
    }

    @Test("QueueLimit agrees with queues/definitions.json")
    func limits() throws {
        for queue in Set(Messages.descriptors.map(\.queue)) {
            let arguments = try arguments(of: queue)
            let limit: QueueLimit? =
                arguments["x-max-length-bytes"]?.integer.map { .bytes(Int($0)) }
                ?? arguments["x-max-length"]?.integer.map { .messages(Int($0)) }
            #expect(QueueLimit.of(queue) == limit, "\(queue)")
        }
    }

    @Test("a quorum queue is bounded, rejects publishes when full and dead-letters at least once")
    func quorumQueues() throws {
        for name in Queue.quorum {
            let arguments = try arguments(of: name)
            #expect(arguments["x-queue-type"] == "quorum" && arguments["x-overflow"] == "reject-publish", "\(name)")
            let limit = name == Queue.mediaUploads ? "x-max-length-bytes" : "x-max-length"
            #expect(arguments[limit]?.integer ?? 0 > 0, "\(name)")
            #expect(arguments["x-delivery-limit"]?.integer ?? 0 > 0, "\(name)")
            #expect(arguments["x-dead-letter-exchange"]?.string == Exchange.dead, "\(name)")
            #expect(arguments["x-dead-letter-routing-key"]?.string == name, "\(name)")
            #expect(arguments["x-dead-letter-strategy"] == "at-least-once", "\(name)")
            #expect(try self.arguments(of: Queue.dead(of: name))["x-queue-type"] == "quorum", "\(name)")
        }
        for step in RetryStep.allCases {
            let arguments = try arguments(of: step.queue)
            #expect(arguments["x-queue-type"] == "quorum" && arguments["x-dead-letter-strategy"] == "at-least-once")
            #expect(arguments["x-dead-letter-exchange"]?.string == Exchange.requeue)
        }
    }

    @Test("an operator policy bounds the queues of an integrator, and a full queue drops its oldest messages")
    func integratorQueues() throws {
        let integratorName = try Regex(#"^(integrator\.|amq\.gen-)"#)
        let limit = try #require(definitions["parameters"]?.array?.first { $0["component"] == "operator_policy" })
        let policy = try #require(definitions["policies"]?.array?.first)
        for pattern in [limit["value"]?["pattern"]?.string, policy["pattern"]?.string] {
            let pattern = try Regex(#require(pattern))
            for name in ["integrator.feed", "amq.gen-x", "integrators", "post.events", Exchange.events] {
                #expect(name.contains(pattern) == name.contains(integratorName), "\(name)")
            }
        }
        #expect(limit["value"]?["definition"]?["max-length-bytes"]?.integer ?? 0 > 0)
        #expect(policy["definition"]?["overflow"] == "drop-head")
    }

    private func arguments(of queue: String) throws -> JSON {
        try #require(definitions["queues"]?.array?.first { $0["name"]?.string == queue }?["arguments"], "\(queue)")
    }

    @Test(
        "each delay queue of the retry ladder has the delay of its step, and its deliveries return to their queue",
        arguments: RetryStep.allCases)
    func ladder(step: RetryStep) throws {
        #expect(try isBound(Exchange.retry, step.rawValue + ".#", to: step.queue))
        let queue = try #require(definitions["queues"]?.array?.first { $0["name"]?.string == step.queue })
        let ttl = try #require(queue["arguments"]?["x-message-ttl"]?.integer)
        #expect(step.delay == .milliseconds(ttl))
        for name in Queue.quorum {
            #expect(try isBound(Exchange.requeue, "*." + name, to: name))
            #expect(try isBound(Exchange.dead, name, to: Queue.dead(of: name)))
        }
        #expect(step.routingKey(backTo: Queue.postCommands) == step.rawValue + ".post.commands")
    }

    @Test(
        "the delivery limit of a dead-letter queue is at least a million, because the default of RabbitMQ 4 is 20",
        arguments: Queue.quorum)
    func deadLetterDeliveryLimit(queue: String) throws {
        let dead = try #require(definitions["queues"]?.array?.first { $0["name"]?.string == Queue.dead(of: queue) })
        #expect(try #require(dead["arguments"]?["x-delivery-limit"]?.integer) >= 1_000_000)
    }

    @Test("the first four failures of a delivery lead to a retry, and the fifth to a dead letter")
    func stepAfterFailure() {
        #expect((0...6).map { RetryStep.afterFailure($0)?.rawValue } == [nil, "1s", "5s", "30s", "5m", nil, nil])
        #expect(RetryStep.afterFailure(.max) == nil)
        #expect(RetryStep.afterFailure(.min) == nil)
    }

    @Test(
        "the name of a message type begins with its service, and exactly the types of identity are credentials",
        arguments: Messages.descriptors)
    func names(message: MessageDescriptor) {
        #expect(message.name.hasPrefix(message.service.rawValue + "."))
        #expect(message.replyName == message.name + ".reply")
        #expect((message.kind == .credential) == (message.service == .identity))
        #expect((message.status == 204) == (message.reply == nil))
    }

    @Test("only the requests for registration, login, refresh and logout need no account")
    func subjects() {
        #expect(
            Messages.descriptors.filter { !$0.needsCaller }.map(\.name) == [
                "identity.register", "identity.login", "identity.refresh", "identity.logout",
            ])
    }

    @Test("a sender waits 30 s for the reply to an upload and 5 s for the reply to any other request")
    func timeouts() {
        for message in Messages.descriptors {
            #expect(message.timeout == .seconds(message.name == "media.upload" ? 30 : 5), "\(message.name)")
        }
    }
}
