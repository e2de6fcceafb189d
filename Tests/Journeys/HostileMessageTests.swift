import AMQP
import BrokerSupport
import Contracts
import Foundation
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Hostile messages at the queues", .timeLimit(.minutes(2))) struct HostileMessages {
        /// Unexpected values of every field type.
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

        @Test("a query whose header has an unexpected type or value gets 200, 400, 401 or 403", arguments: headers)
        @Loop func header(name: String) async throws {
            try await expectUnaffected { integrator, person async throws in
                for value in Self.values {
                    var query = integrator.makeRequest("post.list", [:], for: person)
                    query.properties.headers[name] = value
                    // A query whose deadline has passed gets no reply.
                    guard name != Header.deadline || value != .int64(-1) else {
                        try await integrator.publisher.publishConfirmed(query)
                        continue
                    }
                    // A request with an x-death header or with an invalid username gets 400.
                    let isRefused = name == "x-death" || name == Header.subjectName
                    let expected: Set<Int64> = isRefused ? [400] : [200, 401, 403]
                    let reply = try await integrator.reply(to: query)
                    #expect(expected.contains(reply.status), "\(name): \(value)")
                }
            }
        }

        @Test("a header that the broker cannot decode ends the sender's connection and no other")
        @Loop func unreadable() async throws {
            try await expectUnaffected { integrator, person async throws in
                for value in [Double.nan, .infinity] {
                    var query = integrator.makeRequest("post.list", [:], for: person)
                    query.properties.headers["x"] = .double(value)
                    await #expect(throws: PublishError.self) { try await integrator.publisher.publishConfirmed(query) }
                    try #require(await integrator.publisher.waitUntilAvailable(within: .seconds(10)))
                }
            }
        }

        @Test("a query with 500 headers of 200 bytes gets 200")
        @Loop func manyHeaders() async throws {
            try await expectUnaffected { integrator, person async throws in
                var query = integrator.makeRequest("post.list", [:], for: person)
                for number in 0..<500 {
                    query.properties.headers["h\(number)"] = .string(String(repeating: "v", count: 200))
                }
                #expect(try await integrator.reply(to: query).status == 200)
            }
        }

        @Test("a query with only reply_to and correlation_id gets 401, and with user_id and headers too it gets 200")
        @Loop func missing() async throws {
            try await expectUnaffected { integrator, person async throws in
                let whole = integrator.makeRequest("post.list", [:], for: person)
                var bare = whole
                bare.properties = Properties(
                    correlationID: whole.properties.correlationID, replyTo: whole.properties.replyTo)
                #expect(try await integrator.reply(to: bare).status == 401, "without user_id there is no caller")
                bare = whole
                bare.properties.contentType = nil
                bare.properties.messageID = nil
                bare.properties.type = nil
                bare.properties.timestamp = nil
                bare.properties.appID = nil
                #expect(try await integrator.reply(to: bare).status == 200)
                bare = whole
                bare.properties.replyTo = nil
                try await integrator.publisher.publishConfirmed(bare)
                bare.properties.correlationID = nil
                try await integrator.publisher.publishConfirmed(bare)
            }
        }

        @Test("a command with an extreme timestamp gets 201 or 400, and a query with an extreme deadline gets 200")
        @Loop func times() async throws {
            try await expectUnaffected { integrator, person async throws in
                for timestamp in [0, 1, .max, UInt64(Int64.max) / 1000 + 1] as [UInt64] {
                    var command = integrator.makeRequest(
                        "post.create", ["content": "When?"], isCommand: true, for: person)
                    command.properties.timestamp = timestamp
                    let reply = try await integrator.reply(to: command)
                    #expect(reply.status == 201 || reply.status == 400, "\(timestamp)")
                }
                for deadline: Int64 in [.max, .max / 1000, 253_402_300_800_000] {
                    var query = integrator.makeRequest("post.list", [:], for: person)
                    query.properties.headers[Header.deadline] = .int64(deadline)
                    #expect(try await integrator.reply(to: query).status == 200)
                }
                var expired = integrator.makeRequest("post.list", [:], for: person)
                expired.properties.expiration = 0
                try await integrator.publisher.publishConfirmed(expired)
            }
        }

        @Test(
            "a message gets a problem with 400, 413 or 422 if its body is not JSON, too large, or violates the schema",
            arguments: ["post.create", "post.list"])
        @Loop func bodies(type: String) async throws {
            try await expectUnaffected { integrator, person async throws in
                let deep = String(repeating: "[", count: 60_000)
                let bodies: [([UInt8], Set<Int64>)] = [
                    ([], [400]), (Array("content=x".utf8), [400]), ([0xFF, 0xD8, 0xFF, 0xE0], [400]),
                    (Array("{\"content\":\"\u{0}\"}".utf8), [400]), (Array(deep.utf8), [400]),
                    (Array("null".utf8), [422]), (Array("[]".utf8), [422]), (Array("{\"a\":1,\"a\":2}".utf8), [400]),
                    (Array("\u{FEFF}\u{FEFF}{}".utf8), [400]), (Array("{\"admin\":true}".utf8), [422]),
                    (Array(repeating: UInt8(ascii: " "), count: 10 * 1024 * 1024), [413]),
                ]
                for (body, expected) in bodies {
                    var message = integrator.makeRequest(type, [:], isCommand: type == "post.create", for: person)
                    message.body = body
                    let reply = try await integrator.reply(to: message)
                    #expect(expected.contains(reply.status), "\(body.count) bytes: \(reply.status)")
                    #expect(reply.properties.contentType == ContentType.problem)
                }
            }
        }

        @Test("an upload at the queue that is not a picture is refused, even if its content type is image/png")
        @Loop func uploads() async throws {
            try await expectUnaffected { integrator, person async throws in
                let bodies: [([UInt8], Set<Int64>)] = [
                    ([], [415, 422]), (Array("<svg/>".utf8), [415]), (Array("https://example.org/a.png".utf8), [415]),
                    (Array("{}".utf8), [415]), (Array(repeating: 0, count: 10 * 1024 * 1024), [413]),
                ]
                for (body, expected) in bodies {
                    var message = integrator.makeRequest("media.upload", [:], isCommand: true, for: person)
                    message.properties.contentType = "image/png"
                    message.body = body
                    let reply = try await integrator.reply(to: message)
                    #expect(expected.contains(reply.status), "\(body.count) bytes: \(reply.status)")
                }
            }
        }

        @Test("a query with a wrong content type and content encoding gets 200")
        @Loop func contentType() async throws {
            try await expectUnaffected { integrator, person async throws in
                for type in ["text/html", "", "application/cloudevents+json", String(repeating: "x", count: 255)] {
                    var query = integrator.makeRequest("post.list", [:], for: person)
                    query.properties.contentType = type
                    query.properties.contentEncoding = "gzip"
                    #expect(try await integrator.reply(to: query).status == 200)
                }
            }
        }

        @Test("a reply to the ingress with an unknown correlation id is dropped, and other requests get their replies")
        @Loop func foreignReplies() async throws {
            let stack = try Stack()
            let bindings = try await stack.rabbitmqctl(
                "list_bindings", "-p", "warren", "source_name", "destination_name", "routing_key")
            var foreign: [String] = []
            for line in bindings.split(separator: "\n") {
                let words = line.split(separator: "\t").map(String.init)
                if words.count == 3, words[0] == Exchange.replies { foreign.append(words[2]) }
            }
            try #require(!foreign.isEmpty, "the ingress has no reply queue")
            try await expectUnaffected { integrator, person async throws in
                for key in foreign + [Queue.postCommands, "*", "#", ""] {
                    for correlation in ["1", "zzzz", "", "\u{0}", String(repeating: "z", count: 255)] {
                        var query = integrator.makeRequest("post.list", [:], for: person)
                        query.properties.replyTo = key
                        query.properties.correlationID = correlation
                        try await integrator.publisher.publishConfirmed(query)
                    }
                }
                let client = try APIClient().signedIn(as: person)
                for _ in 0..<20 { _ = try await client.get("/v1/posts").expect(200) }
            }
        }

        @Test("a message whose type differs from its routing key gets 400")
        @Loop func mistypedMessage() async throws {
            try await expectUnaffected { integrator, person async throws in
                for (key, type) in [
                    ("post.list", "post.create"), ("post.get", "identity.me"), ("post.create", "post.delete"),
                ] {
                    var message = integrator.makeRequest(
                        key, ["content": "x"], isCommand: key == "post.create", for: person)
                    message.properties.type = type
                    #expect(try await integrator.reply(to: message).status == 400)
                }
            }
        }

        @Test("a command that evades the topic permissions, through an exchange or a dead-letter queue, gets 400")
        @Loop func detour() async throws {
            let address = try BrokerAddress(url: TestEnvironment.value("WARREN_INTEGRATOR_URL"))
            let provisioner = Provisioner(address: address)
            let word = "integrator." + randomWord(8)
            let (bound, dying, queue) = (word + ".bound", word + ".dying", word + ".queue")
            try await provisioner.perform([
                .exchange(bound, type: "topic"), .exchange(dying, type: "topic"),
                .exchangeBinding(destination: Exchange.commands, source: bound, key: "#"),
                .queue(
                    queue,
                    arguments: [
                        "x-message-ttl": 1, "x-dead-letter-exchange": .string(Exchange.commands),
                        "x-dead-letter-routing-key": "post.create",
                    ]), .binding(queue: queue, exchange: dying, key: "#"),
            ])
            let content = "detour \(randomWord(12))"
            try await expectUnaffected { integrator, person async throws in
                for exchange in [bound, dying] {
                    var message = integrator.makeRequest(
                        "post.create", ["content": .string(content)], isCommand: true, for: person)
                    message.exchange = exchange
                    #expect(try await integrator.reply(to: message).status == 400, "\(exchange)")
                }
            }
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content).isEmpty)
            try await provisioner.perform([.deleteExchange(bound), .deleteExchange(dying), .deleteQueue(queue)])
        }

        @Test("a command with a forged x-death header gets 400 and is not dead-lettered, and others are dead-lettered")
        @Loop func history() async throws {
            let stack = try Stack()
            let dead = Queue.dead(of: Queue.postCommands)
            let before = try await stack.depth(of: dead)
            try await expectUnaffected { integrator, person async throws in
                for value in Self.values + [.array([.table(["queue": 5])])] {
                    var command = integrator.makeRequest("post.create", ["content": "x"], isCommand: true, for: person)
                    command.properties.headers["x-death"] = value
                    let reply = try await integrator.reply(to: command)
                    #expect(reply.status == 400, "\(value)")
                }
                var mistyped = integrator.makeRequest("post.create", ["content": "x"], isCommand: true, for: person)
                mistyped.properties.type = "post.delete"
                let reply = try await integrator.reply(to: mistyped)
                #expect(reply.status == 400)
            }
            let isKept = try await eventually(within: .seconds(10)) { try await stack.depth(of: dead) == before + 1 }
            #expect(isKept)
        }

        @Test("a command that reaches its queue through a CC or BCC header, which the broker does not check, gets 400")
        @Loop func carbonCopy() async throws {
            let content = "a copy \(randomWord(12))"
            try await expectUnaffected { integrator, person async throws in
                for header in ["CC", "BCC"] {
                    var message = integrator.makeRequest("post.list", ["content": .string(content)], for: person)
                    message.properties.headers[header] = .array([.string("post.create")])
                    message.properties.type = "post.create"
                    let reply = try await integrator.reply(to: message)
                    #expect(reply.status == 400)
                }
            }
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content).isEmpty)
        }

        /// Runs a body that sends hostile messages, then checks that other requests are served and that no daemon was
        /// restarted.
        @Loop private func expectUnaffected(_ body: @Loop (IntegratorClient, TestAccount) async throws -> Void)
            async throws
        {
            let stack = try Stack()
            let before = try Stack.daemons.map { try stack.pid("\($0)-1") }
            let person = try await TestAccount.register(APIClient())
            try await IntegratorClient.run { integrator in
                try await body(integrator, person)
                let good = try await integrator.reply(
                    to: "post.create", ["content": "still served"], isCommand: true, for: person)
                #expect(good.status == 201)
                #expect(try await integrator.reply(to: "media.list", [:], for: person).status == 200)
                #expect(try await integrator.reply(to: "identity.me", [:], for: person).status == 200)
            }
            #expect(try Stack.daemons.map { try stack.pid("\($0)-1") } == before)
            #expect(before.allSatisfy(Stack.isAlive))
        }

        private static func nested(_ depth: Int) -> FieldValue {
            depth == 0 ? .string("bottom") : .table(["deeper": nested(depth - 1)])
        }
    }
}
