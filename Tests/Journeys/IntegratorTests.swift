import AMQP
import BrokerSupport
import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Integrators", .timeLimit(.minutes(1))) struct Integrators {
        @Test("queues/example.py registers, creates a post and reads it")
        func example() async throws {
            let exit = try await Program(path: "/usr/bin/python3", arguments: [Stack.file("queues/example.py")]).run()
            #expect(exit.status == 0, "\(exit.errors)")
            for call in ["identity.register", "post.create", "post.get"] { #expect(exit.output.contains(call)) }
        }

        @Test(
            "queues/client_tour.py sends every request and receives every event, each valid against its schema"
        )
        func tour() async throws {
            let tour = Program(path: "/usr/bin/python3", arguments: [Stack.file("queues/client_tour.py")])
            let exit = try await tour.run()
            #expect(exit.status == 0, "\(exit.output)\(exit.errors)")
            for message in Messages.all { #expect(exit.output.contains("\(message.name) "), "\(message.name)") }
            for event in EventDescriptor.all { #expect(exit.output.contains("\(event.type) "), "\(event.type)") }
        }

        @Test("a full queue of an integrator drops its oldest messages and delays no service")
        @Loop func fullQueue() async throws {
            let address = try BrokerAddress(url: TestEnvironment.value("WARREN_INTEGRATOR_URL"))
            let provisioner = Provisioner(address: address)
            let queue = "integrator.full.\(randomWord(8))"
            try await provisioner.perform([
                .queue(queue, arguments: ["x-queue-type": "quorum", "x-max-length": 1]),
                .binding(queue: queue, exchange: Exchange.events, key: "post.created"),
            ])
            let client = try APIClient()
            let (person, word) = (try await TestAccount.register(client), randomWord(12))
            for _ in 0..<5 { _ = try await client.signedIn(as: person).createPost("full \(word)").expect(201) }
            let isFound = try await eventually(within: .seconds(20)) {
                try await client.signedIn(as: person).search(word).expect(200).ids("posts").count == 5
            }
            #expect(isFound)
            #expect(try await eventually { try await provisioner.depth(ofQueue: queue).ready == 1 })
            try await provisioner.perform([.deleteQueue(queue)])
        }

        @Test("policies bound the queues of integrators, whichever arguments they are declared with")
        func bounds() async throws {
            let stack = try Stack()
            let limits = try await stack.rabbitmqctl("list_operator_policies", "-p", "warren")
            #expect(limits.contains("^integrator\\.") && limits.contains("max-length-bytes"))
            let policies = try await stack.rabbitmqctl("list_policies", "-p", "warren")
            #expect(policies.contains("drop-head"))
        }

        @Test("a command sent to the queue gets its reply, and its effect is visible over HTTP")
        @Loop func command() async throws {
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            try await IntegratorClient.run { integrator in
                let reply = try await integrator.reply(
                    to: "post.create", ["content": "from the queue"], isCommand: true, for: person)
                #expect(reply.status == 201)
                #expect(reply.properties.type == "post.create.reply")
                #expect(reply.properties.contentType == ContentType.json)
                let post = try reply.json.text("id")
                #expect(reply.properties.headers[Header.location]?.string == "/v1/posts/\(post)")
                let seen = try await client.signedIn(as: person).get("/v1/posts/\(post)").expect(200)
                #expect(seen["author"]?["username"]?.string == person.username)
            }
        }

        @Test("a command sent twice with one message id is carried out once and gets the same reply twice")
        @Loop func once() async throws {
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            let content = "once \(randomWord(12))"
            try await IntegratorClient.run { integrator in
                let (id, body) = (UUID(), ["content": .string(content)] as JSON)
                let first = try await integrator.reply(
                    to: integrator.makeRequest("post.create", body, isCommand: true, for: person, id: id))
                let second = try await integrator.reply(
                    to: integrator.makeRequest("post.create", body, isCommand: true, for: person, id: id))
                #expect(first.status == 201)
                #expect(second.status == 201)
                #expect(second.body == first.body)
            }
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])
        }

        @Test("an invalid request gets a problem as its reply, and an unroutable one is returned at once")
        @Loop func problems() async throws {
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            try await IntegratorClient.run { integrator in
                let invalid = try await integrator.reply(
                    to: "post.create", ["content": ""], isCommand: true, for: person)
                #expect(invalid.status == 422)
                #expect(invalid.properties.contentType == ContentType.problem)
                #expect(try invalid.json["code"]?.string == "invalid")
                let anonymous = try await integrator.reply(to: "post.create", ["content": "x"], isCommand: true)
                #expect(anonymous.status == 401)
                await #expect(throws: PublishError.self) {
                    _ = try await integrator.reply(to: "post.unknown", [:], for: person)
                }
            }
        }

        @Test("a message of an unknown type is dead-lettered at once and does not delay others")
        @Loop func unknownType() async throws {
            let stack = try Stack()
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            try await IntegratorClient.run { integrator in
                let dead = Queue.dead(of: Queue.postCommands)
                let before = try await stack.depth(of: dead)
                var unknown = integrator.makeRequest("post.create", ["content": "x"], isCommand: true, for: person)
                // The routing key is that of a command; the post service does not know the type.
                unknown.properties.type = "post.unknown"
                async let refused = integrator.reply(to: unknown)
                let good = try await integrator.reply(to: "post.create", ["content": "y"], isCommand: true, for: person)
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
