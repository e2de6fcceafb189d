import AMQP
import BrokerSupport
import Reactor
import TestSupport
import Testing

@Suite("Properties and headers")
struct PropertiesTests {
    @Loop private func roundTrip(_ properties: [Properties]) async throws -> [Properties] {
        let inbox = Inbox()
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await withPublisher(topology.address) { publisher in
                for message in properties {
                    try await publisher.publishConfirmed(
                        OutgoingMessage(
                            exchange: "", routingKey: queue, isMandatory: true, properties: message, body: []))
                }
            }
            let subscription = Subscription.queue(queue, prefetch: 100) { delivery in
                inbox.deliveries.append(delivery)
                delivery.ack()
            }
            try await withConsumer(topology.address, [subscription]) { _ in
                try await becomes { inbox.deliveries.count == properties.count }
            }
        }
        return inbox.deliveries.map(\.properties)
    }

    @Test("message properties arrive unchanged, with all, none or one of them set")
    @Loop func arrive() async throws {
        let address = try TestTopology().address
        let all = Properties(
            contentType: "application/json", contentEncoding: "gzip", headers: ["subject": "someone", "deadline": 12],
            isPersistent: true, priority: 3, correlationID: "c", replyTo: "r", expiration: 60_000, messageID: "m",
            timestamp: 1_800_000_000, type: "post.create", userID: address.user, appID: "tests")
        let longest = String(repeating: "ä", count: 127)
        let sent = [
            all, Properties(), Properties(contentType: ""), Properties(contentEncoding: "x"),
            Properties(headers: ["": .void]), Properties(isPersistent: true), Properties(priority: 255),
            Properties(correlationID: longest), Properties(replyTo: longest), Properties(expiration: 4_000_000_000),
            Properties(messageID: "\u{0}\u{10FFFF}"), Properties(timestamp: .max), Properties(type: "t"),
            Properties(userID: address.user), Properties(appID: "a"),
        ]
        #expect(try await roundTrip(sent) == sent)
    }

    @Test("headers of every type arrive unchanged, including nested and repeated ones")
    @Loop func everyType() async throws {
        let nested: Headers = ["list": .array([1, "two", .bool(false), .array([]), .table([:])])]
        var headers: Headers = [
            "string": "text", "empty": "", "bytes": .bytes([0, 255, 128]), "low": .int64(.min), "high": .int64(.max),
            "true": true, "pi": .double(3.25), "nothing": .void, "time": .timestamp(1_800_000_000),
            "decimal": .decimal(scale: 2, value: 314), "table": .table(nested), "twice": 1,
        ]
        headers.entries.append(.init(name: "twice", value: 2))
        let received = try await roundTrip([Properties(headers: headers)])
        #expect(received == [Properties(headers: headers)])
        #expect(received.first?.headers["twice"] == 1)
        #expect(received.first?.headers["absent"] == nil)
    }

    @Test("headers are read, changed and removed by name")
    func changes() {
        var headers: Headers = ["a": 1]
        headers["b"] = "two"
        headers["a"] = 3
        #expect(headers == ["a": 3, "b": "two"])
        headers["a"] = nil
        headers["z"] = nil
        #expect(headers == ["b": "two"])
        #expect(headers["b"]?.string == "two")
        #expect(headers["b"]?.int64 == nil)
    }
}
