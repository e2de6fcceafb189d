import AMQP
import BrokerSupport
import Contracts
import Foundation
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Integrators", .timeLimit(.minutes(1))) struct Integrators {
        @Test("queues/example.py registers, creates a post and reads it")
        func example() async throws {
            let exit = try await Program(
                path: "/usr/bin/python3", arguments: [RepositoryFile("queues/example.py").path]
            ).run()
            #expect(exit.status == 0, "\(exit.errors)")
            for call in ["identity.register", "post.create", "post.get"] { #expect(exit.output.contains(call)) }
        }

        @Test(
            "queues/client_tour.py sends each type of request and receives each type of event without a schema error")
        func tour() async throws {
            let tour = Program(path: "/usr/bin/python3", arguments: [RepositoryFile("queues/client_tour.py").path])
            let exit = try await tour.run()
            #expect(exit.status == 0, "\(exit.output)\(exit.errors)")
            for message in Messages.descriptors { #expect(exit.output.contains("\(message.name) "), "\(message.name)") }
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

        @Test("the broker has policies that limit the queues of integrators")
        func bounds() async throws {
            let stack = try Stack()
            let limits = try await stack.rabbitmqctl("list_operator_policies", "-p", "warren")
            #expect(limits.contains("integrator\\.|amq\\.gen-") && limits.contains("max-length-bytes"))
            let policies = try await stack.rabbitmqctl("list_policies", "-p", "warren")
            #expect(policies.contains("drop-head"))
        }

        @Test("an integrator's command gets a reply, and the effect of the command is visible over HTTP")
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

        @Test("an integrator's invalid command gets 422, and a command without the header subject gets 401")
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
            }
        }

        @Test("publishing a request with an unknown routing key throws a PublishError")
        @Loop func unroutable() async throws {
            try await IntegratorClient.run { integrator in
                await #expect(throws: PublishError.self) {
                    _ = try await integrator.reply(to: "post.unknown", [:])
                }
            }
        }

        @Test("a command of an unknown type gets 400, is dead-lettered, and does not delay others")
        @Loop func unknownType() async throws {
            let stack = try Stack()
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            try await IntegratorClient.run { integrator in
                let dead = Queue.dead(of: Queue.postCommands)
                let before = try await stack.depth(of: dead)
                var unknown = integrator.makeRequest("post.create", ["content": "x"], isCommand: true, for: person)
                // The routing key is known, so the message reaches the post service, which has no handler for the type.
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
