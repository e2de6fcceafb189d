import Contracts
import Foundation
import Testing

@Suite("The names in the program are those of the queue contract's files")
struct TopologyTests {
    private let definitions: JSON

    init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "queues/definitions.json")
        definitions = try JSON.parse([UInt8](try Data(contentsOf: file)), limits: .trusted)
    }

    private func names(_ kind: String) throws -> Set<String> {
        Set(try #require(definitions[kind]?.array).compactMap { $0["name"]?.string })
    }

    private func isBound(_ exchange: String, _ key: String, to queue: String) throws -> Bool {
        try #require(definitions["bindings"]?.array).contains {
            $0["source"]?.string == exchange && $0["routing_key"]?.string == key && $0["destination"]?.string == queue
        }
    }

    @Test("every message type comes to its queue, and to no other", arguments: Messages.all)
    func messages(message: MessageDescriptor) throws {
        #expect(try isBound(Exchange.commands, message.name, to: message.queue))
        let bindings = try #require(definitions["bindings"]?.array)
        #expect(bindings.count { $0["routing_key"]?.string == message.name } == 1)
    }

    @Test("no command is bound that the program does not know")
    func noOthers() throws {
        let bound = try #require(definitions["bindings"]?.array).filter { $0["source"]?.string == Exchange.commands }
        #expect(Set(bound.compactMap { $0["routing_key"]?.string }) == Set(Messages.all.map(\.name)))
        let followed = try #require(definitions["bindings"]?.array).filter { $0["source"]?.string == Exchange.events }
        let types = EventDescriptor.all.map(\.type)
        #expect(followed.compactMap { $0["routing_key"]?.string }.allSatisfy { types.contains($0) })
    }

    @Test("every exchange and queue is there, and no other")
    func all() throws {
        #expect(
            try names("exchanges") == [
                Exchange.commands, Exchange.events, Exchange.replies, Exchange.retry, Exchange.requeue, Exchange.dead,
            ])
        let dead = Queue.quorum.map(Queue.dead(of:))
        let queues = Queue.quorum + Queue.classic + dead + RetryStep.allCases.map(\.queue)
        #expect(try names("queues") == Set(queues))
    }

    @Test("exchanges are durable, and of the types of the contract")
    func exchangeTypes() throws {
        let exchanges = try #require(definitions["exchanges"]?.array)
        let direct = [Exchange.replies, Exchange.dead]
        for exchange in exchanges {
            let name = try #require(exchange["name"]?.string)
            #expect(exchange["type"]?.string == (direct.contains(name) ? "direct" : "topic"), "\(name)")
            #expect(exchange["durable"] == true && exchange["auto_delete"] == false, "\(name)")
        }
    }

    @Test("queries and credentials wait in classic queues that refuse when full, and are never kept as dead letters")
    func classicQueues() throws {
        for name in Queue.classic {
            let arguments = try arguments(of: name)
            #expect(arguments["x-queue-type"] == "classic" && arguments["x-overflow"] == "reject-publish", "\(name)")
            #expect(arguments["x-max-length"]?.integer ?? 0 > 0, "\(name)")
            #expect(arguments["x-dead-letter-exchange"] == nil, "\(name)")
        }
    }

    @Test("commands and events wait in quorum queues that refuse when full, and are dead-lettered at least once")
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

    @Test(
        "each event comes to the services that follow it, and to no other",
        arguments: [
            ("account.registered", []), ("post.created", ["search"]), ("post.deleted", ["media", "search"]),
            ("media.uploaded", ["post"]), ("media.deleted", ["post"]),
        ])
    func followers(type: String, services: [String]) throws {
        let bindings = try #require(definitions["bindings"]?.array).filter {
            $0["source"]?.string == Exchange.events && $0["routing_key"]?.string == type
        }
        #expect(bindings.compactMap { $0["destination"]?.string }.sorted() == services.map { "\($0).events" })
        #expect(EventDescriptor.all.contains { $0.type == type })
    }

    @Test("an integrator's own queues are bounded by the operator, and drop their oldest messages when full")
    func integratorQueues() throws {
        let own = try Regex(#"^integrator\."#)
        let limit = try #require(definitions["parameters"]?.array?.first { $0["component"] == "operator_policy" })
        let policy = try #require(definitions["policies"]?.array?.first)
        for pattern in [limit["value"]?["pattern"]?.string, policy["pattern"]?.string] {
            let pattern = try Regex(#require(pattern))
            for name in ["integrator.feed", "integrators", "post.events", Exchange.events] {
                #expect(name.contains(pattern) == name.contains(own), "\(name)")
            }
        }
        #expect(limit["value"]?["definition"]?["max-length-bytes"]?.integer ?? 0 > 0)
        #expect(policy["definition"]?["overflow"] == "drop-head")
    }

    private func arguments(of queue: String) throws -> JSON {
        try #require(definitions["queues"]?.array?.first { $0["name"]?.string == queue }?["arguments"], "\(queue)")
    }

    @Test("each step of the ladder waits as long as it says, and leads back", arguments: RetryStep.allCases)
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

    @Test("a dead letter may be read any number of times: RabbitMQ 4 would drop it after 20", arguments: Queue.quorum)
    func readOften(queue: String) throws {
        let dead = try #require(definitions["queues"]?.array?.first { $0["name"]?.string == Queue.dead(of: queue) })
        #expect(try #require(dead["arguments"]?["x-delivery-limit"]?.integer) >= 1_000_000)
    }

    @Test("failures climb the ladder and are then given up")
    func climbing() {
        #expect((0...6).map { RetryStep.afterFailure($0)?.rawValue } == [nil, "1s", "5s", "30s", "5m", nil, nil])
        #expect(RetryStep.afterFailure(.max) == nil)
        #expect(RetryStep.afterFailure(.min) == nil)
    }

    @Test("messages have the kinds, statuses and deadlines of the contract")
    func descriptors() {
        #expect(Messages.all.count == 18)
        #expect(Messages.all.allSatisfy { $0.name.hasPrefix($0.service.rawValue + ".") })
        #expect(
            Set(Messages.all.filter { $0.kind == .command }.map(\.name)) == [
                "post.create", "post.delete", "media.upload", "media.delete",
            ])
        #expect(Messages.all.allSatisfy { ($0.kind == .credential) == ($0.service == .identity) })
        #expect(
            Messages.all.filter { !$0.needsSubject }.map(\.name) == [
                "identity.register", "identity.login", "identity.refresh", "identity.logout",
            ])
        #expect(Set(Messages.all.filter { $0.deadline != .seconds(5) }.map(\.name)) == ["media.upload"])
        #expect(Messages.Media.upload.deadline == .seconds(30))
        #expect(Messages.all.allSatisfy { ($0.status == 204) == ($0.reply == nil) })
        #expect(Messages.Post.create.descriptor.replyName == "post.create.reply")
    }
}
