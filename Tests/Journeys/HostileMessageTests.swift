import AMQP
import BrokerSupport
import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Hostile messages at the queues", .timeLimit(.minutes(2))) struct HostileMessages {
        /// Values of every type that a header can have, none of them what its reader hopes for.
        private static let values: [FieldValue] = [
            .void, .bool(true), .bytes([0xFF, 0xFE, 0]), .double(1e308),
            .decimal(scale: 255, value: .max), .timestamp(.max), .int64(.max), .int64(-1), .string(""),
            .string("\u{0}\r\n\u{1B}[31mred\u{202E}"), .string(String(repeating: "x", count: 60_000)),
            .array([.void, .table([:])]),
            nested(30), .table([:]),
        ]

        private static let headers = [
            Header.subject, Header.subjectName, Header.deadline, Header.requestId, Header.traceparent,
            Header.tracestate,
            Header.origin, Header.attempt, Header.status, "x-death", "",
        ]

        @Test("a header of any type and size is answered or dropped as the contract says", arguments: headers)
        @Loop func header(name: String) async throws {
            try await harmless { integrator, person async throws in
                for value in Self.values {
                    var query = integrator.request("post.list", [:], by: person)
                    query.properties.headers[name] = value
                    // A deadline that is past is the one thing that has no answer.
                    guard name != Header.deadline || value != .int64(-1) else {
                        try await integrator.publisher.publishConfirmed(query)
                        continue
                    }
                    // What looks led past the broker's checks is refused, and who has no name that an account can have.
                    let isRefused = name == "x-death" || name == Header.subjectName
                    let expected: Set<Int64> = isRefused ? [400] : [200, 401, 403]
                    let reply = try await integrator.call(query)
                    #expect(expected.contains(reply.status), "\(name): \(value)")
                }
            }
        }

        @Test("a header that the broker itself cannot read ends the sender's connection, and nobody else's")
        @Loop func unreadable() async throws {
            try await harmless { integrator, person async throws in
                for value in [Double.nan, .infinity] {
                    var query = integrator.request("post.list", [:], by: person)
                    query.properties.headers["x"] = .double(value)
                    await #expect(throws: PublishError.self) { try await integrator.publisher.publishConfirmed(query) }
                    try #require(await integrator.publisher.waitUntilAvailable(within: .seconds(10)))
                }
            }
        }

        @Test("a message with many large headers is answered")
        @Loop func manyHeaders() async throws {
            try await harmless { integrator, person async throws in
                var query = integrator.request("post.list", [:], by: person)
                for number in 0..<500 {
                    query.properties.headers["h\(number)"] = .string(String(repeating: "v", count: 200))
                }
                #expect(try await integrator.call(query).status == 200)
            }
        }

        @Test("a message that lacks properties is answered as far as it can be")
        @Loop func missing() async throws {
            try await harmless { integrator, person async throws in
                let whole = integrator.request("post.list", [:], by: person)
                var bare = whole
                bare.properties = Properties(
                    correlationID: whole.properties.correlationID, replyTo: whole.properties.replyTo)
                #expect(try await integrator.call(bare).status == 401, "nobody is vouched for")
                bare = whole
                bare.properties.contentType = nil
                bare.properties.messageID = nil
                bare.properties.type = nil
                bare.properties.timestamp = nil
                bare.properties.appID = nil
                #expect(try await integrator.call(bare).status == 200)
                bare = whole
                bare.properties.replyTo = nil
                try await integrator.publisher.publishConfirmed(bare)
                bare.properties.correlationID = nil
                try await integrator.publisher.publishConfirmed(bare)
            }
        }

        @Test("absurd times are no more than times")
        @Loop func times() async throws {
            try await harmless { integrator, person async throws in
                for timestamp in [0, 1, .max, UInt64(Int64.max) / 1000 + 1] as [UInt64] {
                    var command = integrator.request("post.create", ["content": "When?"], isCommand: true, by: person)
                    command.properties.timestamp = timestamp
                    let reply = try await integrator.call(command)
                    #expect(reply.status == 201 || reply.status == 400, "\(timestamp)")
                }
                for deadline: Int64 in [.max, .max / 1000, 253_402_300_800_000] {
                    var query = integrator.request("post.list", [:], by: person)
                    query.properties.headers[Header.deadline] = .int64(deadline)
                    #expect(try await integrator.call(query).status == 200)
                }
                var gone = integrator.request("post.list", [:], by: person)
                gone.properties.expiration = 0
                try await integrator.publisher.publishConfirmed(gone)
            }
        }

        @Test(
            "a body that is no JSON, or not what its schema says, is a problem",
            arguments: ["post.create", "post.list"])
        @Loop func bodies(type: String) async throws {
            try await harmless { integrator, person async throws in
                let deep = String(repeating: "[", count: 60_000)
                let bodies: [([UInt8], Set<Int64>)] = [
                    ([], [400]), (Array("content=x".utf8), [400]), ([0xFF, 0xD8, 0xFF, 0xE0], [400]),
                    (Array("{\"content\":\"\u{0}\"}".utf8), [400]), (Array(deep.utf8), [400]),
                    (Array("null".utf8), [422]), (Array("[]".utf8), [422]), (Array("{\"a\":1,\"a\":2}".utf8), [400]),
                    (Array("\u{FEFF}{}".utf8), [400]), (Array("{\"admin\":true}".utf8), [422]),
                    (Array(repeating: UInt8(ascii: " "), count: 10 * 1024 * 1024), [413]),
                ]
                for (body, expected) in bodies {
                    var message = integrator.request(type, [:], isCommand: type == "post.create", by: person)
                    message.body = body
                    let reply = try await integrator.call(message)
                    #expect(expected.contains(reply.status), "\(body.count) bytes: \(reply.status)")
                    #expect(reply.properties.contentType == ContentType.problem)
                }
            }
        }

        @Test("the bytes tell what an upload is, whatever its content type says")
        @Loop func uploads() async throws {
            try await harmless { integrator, person async throws in
                let bodies: [([UInt8], Set<Int64>)] = [
                    ([], [415, 422]), (Array("<svg/>".utf8), [415]), (Array("https://example.org/a.png".utf8), [415]),
                    (Array("{}".utf8), [415]), (Array(repeating: 0, count: 10 * 1024 * 1024), [413]),
                ]
                for (body, expected) in bodies {
                    var message = integrator.request("media.upload", [:], isCommand: true, by: person)
                    message.properties.contentType = "image/png"
                    message.body = body
                    let reply = try await integrator.call(message)
                    #expect(expected.contains(reply.status), "\(body.count) bytes: \(reply.status)")
                }
            }
        }

        @Test("a content type that lies changes nothing")
        @Loop func contentType() async throws {
            try await harmless { integrator, person async throws in
                for type in ["text/html", "", "application/cloudevents+json", String(repeating: "x", count: 255)] {
                    var query = integrator.request("post.list", [:], by: person)
                    query.properties.contentType = type
                    query.properties.contentEncoding = "gzip"
                    #expect(try await integrator.call(query).status == 200)
                }
            }
        }

        @Test("a reply that is led to another's queue is lost there, and disturbs nobody")
        @Loop func foreignReplies() async throws {
            let stack = try Stack()
            let bindings = try await stack.rabbitmqctl(
                "list_bindings", "-p", "warren", "source_name", "destination_name", "routing_key")
            var foreign: [String] = []
            for line in bindings.split(separator: "\n") {
                let words = line.split(separator: "\t").map(String.init)
                if words.count == 3, words[0] == Exchange.replies { foreign.append(words[2]) }
            }
            try #require(!foreign.isEmpty, "the ingress listens for replies")
            try await harmless { integrator, person async throws in
                for key in foreign + [Queue.postCommands, "*", "#", ""] {
                    for correlation in ["1", "zzzz", "", "\u{0}", String(repeating: "z", count: 255)] {
                        var query = integrator.request("post.list", [:], by: person)
                        query.properties.replyTo = key
                        query.properties.correlationID = correlation
                        try await integrator.publisher.publishConfirmed(query)
                    }
                }
                let client = try Client().by(person)
                for _ in 0..<20 { _ = try await client.get("/v1/posts").expect(200) }
            }
        }

        @Test("a type that is not its routing key is refused, and dead-lettered where that is kept")
        @Loop func lyingType() async throws {
            try await harmless { integrator, person async throws in
                for (key, type) in [
                    ("post.list", "post.create"), ("post.get", "identity.me"), ("post.create", "post.delete"),
                ] {
                    var message = integrator.request(key, ["content": "x"], isCommand: key == "post.create", by: person)
                    message.properties.type = type
                    #expect(try await integrator.call(message).status == 400)
                }
            }
        }

        @Test(
            "what an integrator leads past the broker's check of its keys, through an exchange or a queue of its own, is refused"
        )
        @Loop func ledPast() async throws {
            let address = try BrokerAddress(url: TestEnvironment.value("WARREN_INTEGRATOR_URL"))
            let provisioner = Provisioner(address: address)
            let word = "integrator." + Fresh.word(8)
            let (way, dying, queue) = (word + ".way", word + ".dying", word + ".queue")
            try await provisioner.perform([
                .exchange(way, type: "topic"), .exchange(dying, type: "topic"),
                .exchangeBinding(destination: Exchange.commands, source: way, key: "#"),
                .queue(
                    queue,
                    arguments: [
                        "x-message-ttl": 1, "x-dead-letter-exchange": .string(Exchange.commands),
                        "x-dead-letter-routing-key": "post.create",
                    ]), .binding(queue: queue, exchange: dying, key: "#"),
            ])
            let content = "led past \(Fresh.word(12))"
            try await harmless { integrator, person async throws in
                for exchange in [way, dying] {
                    var message = integrator.request(
                        "post.create", ["content": .string(content)], isCommand: true, by: person)
                    message.exchange = exchange
                    #expect(try await integrator.call(message).status == 400, "\(exchange)")
                }
            }
            #expect(try await Database.contents("post", "posts", marked: content).isEmpty)
            try await provisioner.perform([.deleteExchange(way), .deleteExchange(dying), .deleteQueue(queue)])
        }

        @Test("a made-up history is refused, and does not end up among the dead letters, which still come in")
        @Loop func history() async throws {
            let stack = try Stack()
            let dead = Queue.dead(of: Queue.postCommands)
            let before = try await stack.depth(of: dead)
            try await harmless { integrator, person async throws in
                for value in Self.values + [.array([.table(["queue": 5])])] {
                    var command = integrator.request("post.create", ["content": "x"], isCommand: true, by: person)
                    command.properties.headers["x-death"] = value
                    let reply = try await integrator.call(command)
                    #expect(reply.status == 400, "\(value)")
                }
                var lying = integrator.request("post.create", ["content": "x"], isCommand: true, by: person)
                lying.properties.type = "post.delete"
                let reply = try await integrator.call(lying)
                #expect(reply.status == 400)
            }
            let isKept = try await eventually(within: .seconds(10)) { try await stack.depth(of: dead) == before + 1 }
            #expect(isKept)
        }

        @Test("a copy under another key, which the broker does not check, is refused")
        @Loop func carbonCopy() async throws {
            let content = "a copy \(Fresh.word(12))"
            try await harmless { integrator, person async throws in
                for header in ["CC", "BCC"] {
                    var message = integrator.request("post.list", ["content": .string(content)], by: person)
                    message.properties.headers[header] = .array([.string("post.create")])
                    message.properties.type = "post.create"
                    let reply = try await integrator.call(message)
                    #expect(reply.status == 400)
                }
            }
            #expect(try await Database.contents("post", "posts", marked: content).isEmpty)
        }

        /// Runs what is hostile, and looks whether those who are not are served as before, by the same processes.
        @Loop private func harmless(_ body: @Loop (Integrator, Person) async throws -> Void) async throws {
            let stack = try Stack()
            let before = try Stack.daemons.map { try stack.pid("\($0)-1") }
            let person = try await Person.register(Client())
            try await Integrator.run { integrator in
                try await body(integrator, person)
                let good = try await integrator.call(
                    "post.create", ["content": "Still here"], isCommand: true, by: person)
                #expect(good.status == 201)
                #expect(try await integrator.call("media.list", [:], by: person).status == 200)
                #expect(try await integrator.call("identity.me", [:], by: person).status == 200)
            }
            #expect(try Stack.daemons.map { try stack.pid("\($0)-1") } == before)
            #expect(before.allSatisfy(Stack.isAlive))
        }

        private static func nested(_ depth: Int) -> FieldValue {
            depth == 0 ? .string("bottom") : .table(["deeper": nested(depth - 1)])
        }
    }
}
