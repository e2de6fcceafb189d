import AMQP
import BrokerSupport
import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Integrators at the queues", .timeLimit(.minutes(1))) struct Integrators {
        @Test("the example in Python publishes a post, gets its reply, and reads the post back")
        func example() async throws {
            let ended = try await Command(path: "/usr/bin/python3", arguments: [Stack.file("queues/example.py")]).run()
            #expect(ended.status == 0, "\(ended.errors)")
            for call in ["identity.register", "post.create", "post.get"] { #expect(ended.output.contains(call)) }
        }

        @Test("a program does everything that a client can through the broker, and every body is what its schema says")
        func tour() async throws {
            let tour = Command(path: "/usr/bin/python3", arguments: [Stack.file("queues/client_tour.py")])
            let ended = try await tour.run()
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            for message in Messages.all { #expect(ended.output.contains("\(message.name) "), "\(message.name)") }
            for event in EventDescriptor.all { #expect(ended.output.contains("\(event.type) "), "\(event.type)") }
        }

        @Test("an integrator's own queue that is full drops its oldest messages, and holds up no service")
        @Loop func fullQueue() async throws {
            let address = try BrokerAddress(url: TestEnvironment.value("WARREN_INTEGRATOR_URL"))
            let provisioner = Provisioner(address: address)
            let queue = "integrator.full.\(Fresh.word(8))"
            try await provisioner.perform([
                .queue(queue, arguments: ["x-queue-type": "quorum", "x-max-length": 1]),
                .binding(queue: queue, exchange: Exchange.events, key: "post.created"),
            ])
            let client = try Client()
            let (person, word) = (try await Person.register(client), Fresh.word(12))
            for _ in 0..<5 { _ = try await client.by(person).write("full \(word)").expect(201) }
            let isFound = try await eventually(within: .seconds(20)) {
                try await client.by(person).search(word).expect(200).ids("posts").count == 5
            }
            #expect(isFound)
            #expect(try await eventually { try await provisioner.depth(ofQueue: queue).ready == 1 })
            try await provisioner.perform([.deleteQueue(queue)])
        }

        @Test("the broker bounds an integrator's own queues, whatever they are declared with")
        func bounds() async throws {
            let stack = try Stack()
            let limits = try await stack.rabbitmqctl("list_operator_policies", "-p", "warren")
            #expect(limits.contains("^integrator\\.") && limits.contains("max-length-bytes"))
            let policies = try await stack.rabbitmqctl("list_policies", "-p", "warren")
            #expect(policies.contains("drop-head"))
        }

        @Test("a command sent to the queue is carried out, shows over HTTP, and its reply comes back")
        @Loop func command() async throws {
            let client = try Client()
            let person = try await Person.register(client)
            try await Integrator.run { integrator in
                let reply = try await integrator.call(
                    "post.create", ["content": "From the queue"], isCommand: true, by: person)
                #expect(reply.status == 201)
                #expect(reply.properties.type == "post.create.reply")
                #expect(reply.properties.contentType == ContentType.json)
                let post = try reply.json.text("id")
                #expect(reply.properties.headers[Header.location]?.string == "/v1/posts/\(post)")
                let seen = try await client.by(person).get("/v1/posts/\(post)").expect(200)
                #expect(seen["author"]?["username"]?.string == person.username)
            }
        }

        @Test("the same message id twice is carried out once, and the second one gets the first one's reply")
        @Loop func once() async throws {
            let client = try Client()
            let person = try await Person.register(client)
            let content = "once \(Fresh.word(12))"
            try await Integrator.run { integrator in
                let (id, body) = (UUID(), ["content": .string(content)] as JSON)
                let first = try await integrator.call(
                    integrator.request("post.create", body, isCommand: true, by: person, id: id))
                let second = try await integrator.call(
                    integrator.request("post.create", body, isCommand: true, by: person, id: id))
                #expect(first.status == 201)
                #expect(second.status == 201)
                #expect(second.body == first.body)
            }
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 1])
        }

        @Test("faults come back as problems, and what has no queue comes back at once")
        @Loop func problems() async throws {
            let client = try Client()
            let person = try await Person.register(client)
            try await Integrator.run { integrator in
                let invalid = try await integrator.call(
                    "post.create", ["content": ""], isCommand: true, by: person)
                #expect(invalid.status == 422)
                #expect(invalid.properties.contentType == ContentType.problem)
                #expect(try invalid.json["code"]?.string == "invalid")
                let anonymous = try await integrator.call("post.create", ["content": "x"], isCommand: true)
                #expect(anonymous.status == 401)
                await #expect(throws: PublishError.self) {
                    _ = try await integrator.call("post.unheard-of", [:], by: person)
                }
            }
        }

        @Test("a message that no retry can mend is dead-lettered at once, and its neighbours are not held up")
        @Loop func poison() async throws {
            let stack = try Stack()
            let client = try Client()
            let person = try await Person.register(client)
            try await Integrator.run { integrator in
                let dead = Queue.dead(of: Queue.postCommands)
                let before = try await stack.depth(of: dead)
                var poison = integrator.request("post.create", ["content": "x"], isCommand: true, by: person)
                // Routed as a command, and of a type that the post service does not know.
                poison.properties.type = "post.unheard-of"
                async let refused = integrator.call(poison)
                let good = try await integrator.call("post.create", ["content": "y"], isCommand: true, by: person)
                #expect(good.status == 201)
                #expect(try await refused.status == 400)
                let isDead = try await eventually(within: .seconds(10)) {
                    try await stack.depth(of: dead) == before + 1
                }
                #expect(isDead)
            }
        }
    }
}
