import AMQP
import BrokerSupport
import Reactor
import TestSupport
import Testing

@Suite("Hostile headers")
struct HostileHeaderTests {
    /// Delivers a message with the given bytes as its properties, and returns the properties that a consumer decodes.
    @Loop private func decode(flags: UInt16 = 1 << 13, _ bytes: [UInt8]) async throws -> Properties? {
        let inbox = Inbox()
        let broker = try ScriptedBroker()
        defer { broker.stop() }
        let subscription = Subscription.queue("queue", prefetch: 10) { inbox.deliveries.append($0) }
        try await withConsumer(BrokerAddress(host: "127.0.0.1", port: broker.port), [subscription]) { _ in
            broker.send(.deliver(tag: 1), .header(bodySize: 0, flags: flags, properties: bytes))
            try await becomes { !inbox.deliveries.isEmpty }
        }
        return inbox.deliveries.first?.properties
    }

    private func entry(_ name: String, _ value: [UInt8]) -> [UInt8] { Frame.short(name) + value }

    @Test("header values of every AMQP type are decoded")
    @Loop func everyType() async throws {
        let byType: [(Character, [UInt8], FieldValue)] = [
            ("S", Frame.long(Array("text".utf8)), "text"), ("S", Frame.long([0xFF, 0xFE]), .bytes([0xFF, 0xFE])),
            ("x", Frame.long([1, 2]), .bytes([1, 2])), ("t", [7], true), ("b", [0x80], -128), ("B", [0x80], 128),
            ("s", [0x80, 0], -32768), ("u", [0x80, 0], 32768), ("I", [0x80, 0, 0, 0], .int64(Int64(Int32.min))),
            ("i", [0x80, 0, 0, 0], .int64(1 << 31)), ("l", Frame.number(Int64.min), .int64(.min)),
            ("L", Frame.number(UInt64.max), .int64(.max)), ("f", Frame.number(Float(1.5).bitPattern), .double(1.5)),
            ("d", Frame.number((-0.25).bitPattern), .double(-0.25)),
            ("D", [255] + Frame.number(UInt32.max), .decimal(scale: 255, value: .max)),
            ("T", Frame.number(UInt64.max), .timestamp(.max)), ("V", [], .void), ("A", Frame.long([]), .array([])),
            ("F", Frame.long(entry("in", [UInt8(ascii: "V")])), .table(["in": .void])),
        ]
        let bytes = byType.enumerated().flatMap { index, value in
            entry("\(index)", [value.0.asciiValue ?? 0] + value.1)
        }
        let properties = try await decode(Frame.long(bytes))
        #expect(properties?.headers.entries.map(\.value) == byType.map(\.2))
    }

    @Test(
        "headers that are nested as deeply as a frame allows are cut off at the maximum depth",
        arguments: [("F", 21_000), ("A", 26_000)])
    @Loop func deepNesting(type: String, levels: Int) async throws {
        // A level consists of an empty name (in tables only), the type, and the size of the inner levels.
        let isTable = type == "F"
        let levelSize = isTable ? 6 : 5
        var bytes: [UInt8] =
            [0, isTable ? UInt8(ascii: "F") : UInt8(ascii: "A")] + Frame.number(UInt32((levels - 1) * levelSize))
        for level in 1..<levels {
            bytes +=
                (isTable ? [0, UInt8(ascii: "F")] : [UInt8(ascii: "A")])
                + Frame.number(UInt32((levels - 1 - level) * levelSize))
        }
        let properties = try await decode(Frame.long(bytes))
        var depth = 0
        var value = properties?.headers[""]
        while let inner = value?.table?[""] ?? value?.array?.first {
            depth += 1
            value = inner
        }
        #expect(value == .void)
        #expect(depth > 0 && depth <= FieldValue.maximumDepth)
    }

    @Test("invalid UTF-8 in properties becomes U+FFFD, and an expiration that is not a number becomes nil")
    @Loop func oddTexts() async throws {
        let invalidText: [UInt8] = [2, 0xC3, 0x28]
        let properties = try await decode(
            flags: 1 << 15 | 1 << 12 | 1 << 10 | 1 << 8 | 1 << 7,
            invalidText + [9] + invalidText + Frame.short("soon") + Frame.short(""))
        #expect(properties?.contentType == "\u{FFFD}(")
        #expect(properties?.correlationID == "\u{FFFD}(")
        #expect(properties?.isPersistent == false)
        #expect(properties?.expiration == nil)
        #expect(properties?.messageID == "")
        let named = try await decode(Frame.long([1, 0xFF, UInt8(ascii: "V")]))
        #expect(named?.headers == ["\u{FFFD}": .void])
    }

    @Test("headers that fill a frame are decoded, even after the broker has added headers of its own")
    @Loop func fullFrame() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue(arguments: ["x-queue-type": "quorum"])
            try await withPublisher(topology.address) { publisher in
                // Finds the largest headers that can be published.
                var padding = 128 * 1024
                while true {
                    var properties = Properties()
                    properties.headers["padding"] = .string(String(repeating: "x", count: padding))
                    do {
                        try await publisher.publishConfirmed(
                            OutgoingMessage(exchange: "", routingKey: queue, properties: properties, body: [1]))
                        break
                    } catch let error as PublishError where error.code == .tooLarge {
                        padding -= 1
                    }
                }
            }
            let inbox = Inbox()
            let subscription = Subscription.queue(queue, prefetch: 10) { delivery in
                inbox.deliveries.append(delivery)
                if inbox.deliveries.count < 3 { delivery.reject(requeue: true) } else { delivery.ack() }
            }
            try await withConsumer(topology.address, [subscription]) { _ in
                try await becomes { inbox.deliveries.count == 3 }
            }
            #expect(inbox.deliveries.last?.properties.headers["x-delivery-count"]?.int64 == 2)
        }
    }

    @Test("a header array of a hundred thousand values is decoded")
    @Loop func manyValues() async throws {
        let count = 100_000
        let bytes = [0, UInt8(ascii: "A")] + Frame.long([UInt8](repeating: UInt8(ascii: "V"), count: count))
        let properties = try await decode(Frame.long(bytes))
        #expect(properties?.headers[""]?.array?.count == count)
    }
}
