import Reactor
import TestSupport
import Testing

@testable import AMQP

@Suite("Broker protocol")
struct ProtocolTests {
    @Loop private func withBroker(
        _ broker: ScriptedBroker, _ body: @Loop (BrokerAddress) async throws -> Void
    ) async throws {
        defer { broker.stop() }
        try await body(BrokerAddress(host: "127.0.0.1", port: broker.port))
    }

    private func message(_ text: String) -> OutgoingMessage { .text(text, to: "queue") }

    @Test("after connection.blocked, publishing fails with the broker's reason until connection.unblocked")
    @Loop func blocked() async throws {
        let broker = try ScriptedBroker()
        try await withBroker(broker) { address in
            try await withPublisher(address) { publisher in
                broker.send(.method(10, 60, Frame.short("low on memory")))
                try await becomes { publisher.availability == .blocked(reason: "low on memory") }
                let error = #expect(throws: PublishError.self) { try publisher.publish(message("x")) }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("low on memory") == true)
                let confirmed = #expect(throws: PublishError.self) { try publisher.publish(message("x")) { _ in } }
                #expect(confirmed?.code == .unavailable)
                #expect(await !publisher.waitUntilAvailable(within: .milliseconds(50)))
                broker.send(.method(10, 61))
                #expect(await publisher.waitUntilAvailable(within: .seconds(10)))
                try publisher.publish(message("x"))
                try await becomes { broker.methods.contains(MethodID.basicPublish) }
            }
        }
    }

    @Test("a connection.blocked in one packet with the answer to confirm.select blocks the publisher")
    @Loop func blockedFromTheStart() async throws {
        let broker = try ScriptedBroker(greeting: [.method(10, 60, Frame.short("low on disk"))])
        try await withBroker(broker) { address in
            let publisher = Publisher(address: address, name: "blocked", log: .quiet)
            async let running: Void = publisher.run()
            try await becomes { publisher.availability == .blocked(reason: "low on disk") }
            await publisher.close()
            await running
        }
    }

    @Test("after a refused message, messages are published on a new channel, and the old one is closed when it is idle")
    @Loop func replacesChannel() async throws {
        let broker = try ScriptedBroker()
        try await withBroker(broker) { address in
            try await withPublisher(address) { publisher in
                var results: [String: Result<Void, PublishError>] = [:]
                @Loop func publish(_ name: String) throws {
                    try publisher.publish(message(name)) { results[name] = $0 }
                }
                // A new channel is not replaced.
                try await Loop.sleep(for: .milliseconds(600))
                try publish("early")
                try publish("refused")
                try await becomes { broker.channels(of: MethodID.basicPublish) == [2, 2] }
                broker.send(.confirm(2, isAck: false, channel: 2))
                try await becomes { broker.channels(of: MethodID.confirmSelect) == [2, 3] }
                #expect(throws: PublishError.self) { try results["refused"]?.get() }
                var number = 0
                // The messages go to the old channel until the broker has answered confirm.select.
                try await becomes {
                    number += 1
                    try publish("\(number)")
                    return broker.channels(of: MethodID.basicPublish).last == 3
                }
                let onFirst = broker.channels(of: MethodID.basicPublish).filter { $0 == 2 }.count
                #expect(broker.channels(of: MethodID.channelClose).isEmpty)
                // The tags of the new channel start at 1.
                broker.send(.confirm(1, isAck: true, channel: 3))
                try await becomes { results["\(onFirst - 1)"] != nil }
                #expect(results["early"] == nil)
                broker.send(.method(60, 80, channel: 2, Frame.number(UInt64(onFirst)) + [1]))
                try await becomes { broker.channels(of: MethodID.channelClose) == [2] }
                try results["early"]?.get()
                #expect(results["early"] != nil)
                #expect(broker.loginCount == 1)
            }
        }
    }

    @Test("publishConfirmed throws outcomeUnknown when its task is cancelled, and the publisher stays usable")
    @Loop func cancelsWait() async throws {
        let broker = try ScriptedBroker()
        try await withBroker(broker) { address in
            try await withPublisher(address) { publisher in
                let first = Task { @Loop in try await publisher.publishConfirmed(message("x")) }
                try await becomes { broker.channels(of: MethodID.basicPublish) == [2] }
                first.cancel()
                let result = await first.result
                let error = #expect(throws: PublishError.self) { try result.get() }
                #expect(error?.code == .outcomeUnknown)
                var isConfirmed = false
                try publisher.publish(message("y")) { _ in isConfirmed = true }
                try await becomes { broker.channels(of: MethodID.basicPublish) == [2, 2] }
                #expect(publisher.outstandingCount == 2)
                // This confirm belongs to the first message.
                broker.send(.confirm(1, isAck: true, channel: 2))
                try await becomes { publisher.outstandingCount == 1 }
                #expect(!isConfirmed)
                broker.send(.confirm(2, isAck: true, channel: 2))
                try await becomes { isConfirmed }
            }
        }
    }

    @Test("deliveries in one packet with the answer to basic.consume are handled in order")
    @Loop func earlyDeliveries() async throws {
        let inbox = Inbox()
        let frames = (1...3).flatMap { tag in
            [Frame.deliver(tag: UInt64(tag)), .header(bodySize: 2), .body([UInt8(tag)]), .body([0])]
        }
        let broker = try ScriptedBroker(greeting: frames)
        try await withBroker(broker) { address in
            try await withConsumer(address, [.queue("queue", prefetch: 10) { inbox.deliveries.append($0) }]) {
                consumer in
                try await becomes { inbox.deliveries.count == 3 }
                #expect(inbox.deliveries.map { $0.body } == [[1, 0], [2, 0], [3, 0]])
                #expect(inbox.deliveries.allSatisfy { $0.exchange == "exchange" && $0.routingKey == "key" })
                #expect(consumer.openCount == 3)
            }
        }
    }

    @Test("the acknowledgements of consecutive deliveries in one turn of the loop are combined")
    @Loop func batchesAcks() async throws {
        let frames = (1...50).flatMap { [Frame.deliver(tag: $0), .header(bodySize: 0)] }
        let broker = try ScriptedBroker(greeting: frames)
        try await withBroker(broker) { address in
            try await withConsumer(address, [.queue("queue", prefetch: 50) { $0.ack() }]) { consumer in
                try await becomes { broker.methods.contains(MethodID.basicAck) }
                #expect(consumer.openCount == 0)
            }
            #expect(broker.methods.filter { $0 == MethodID.basicAck }.count < 10)
        }
    }

    @Test("a consumer starts again after channel.close and basic.cancel, and reconnects after connection.close")
    @Loop func closes() async throws {
        let broker = try ScriptedBroker()
        let reason = Frame.number(UInt16(320)) + Frame.short("because") + [0, 0, 0, 0]
        try await withBroker(broker) { address in
            try await withConsumer(address, [.queue("queue", prefetch: 1) { _ in }]) { consumer in
                func starts() -> Int { broker.methods.count { $0 == MethodID.basicConsume } }
                let ends: [(frame: Frame, answer: UInt32?, logins: Int)] = [
                    (.method(20, 40, channel: 1, reason), MethodID.channelCloseOK, 1),
                    (.method(60, 30, channel: 1, Frame.short("tag") + [0]), nil, 1),
                    (.method(10, 50, reason), MethodID.connectionCloseOK, 2),
                ]
                for (index, end) in ends.enumerated() {
                    try await becomes { starts() == index + 1 && consumer.state == .consuming }
                    broker.send(end.frame)
                    try await becomes { starts() == index + 2 }
                    if let answer = end.answer { #expect(broker.methods.contains(answer)) }
                    #expect(broker.loginCount == end.logins)
                }
                #expect(await consumer.waitUntilConsuming(within: .seconds(10)))
            }
        }
    }

    @Test("ack() of a delivery returns false after the delivery's connection has closed")
    @Loop func settlesTooLate() async throws {
        let inbox = Inbox()
        let broker = try ScriptedBroker(greeting: [.deliver(tag: 1), .header(bodySize: 0)])
        try await withBroker(broker) { address in
            try await withConsumer(address, [.queue("queue", prefetch: 1) { inbox.deliveries.append($0) }]) {
                consumer in
                try await becomes { inbox.deliveries.count == 1 }
                broker.send(.method(10, 50, Frame.number(UInt16(320)) + Frame.short("x") + [0, 0, 0, 0]))
                try await becomes { inbox.deliveries.count == 2 }
                #expect(!inbox.deliveries[0].ack())
                #expect(consumer.openCount == 1)
                #expect(inbox.deliveries[1].ack())
                #expect(consumer.openCount == 0)
            }
        }
    }

    @Test(
        "a frame that is not allowed ends the connection, and the consumer reconnects",
        arguments: [
            [Frame.body([1])], [.header(bodySize: 1)], [.deliver(tag: 1), .deliver(tag: 2)],
            [.deliver(tag: 1), .body([1])], [.deliver(tag: 1), .header(bodySize: 1), .body([1, 2])],
            [.deliver(tag: 1), .header(bodySize: .max)], [.deliver(tag: 7), .header(bodySize: 0)],
            [.deliver(tag: .max), .header(bodySize: 0)], [.method(60, 60, channel: 1, [9])],
            [.deliver(tag: 1), .header(bodySize: 0, flags: 1 << 13, properties: [0xFF, 0xFF, 0xFF, 0xFF])],
            [.deliver(tag: 1), .header(bodySize: 0, flags: 1 << 13, properties: [0, 0, 0, 2, 0, 0x3F])],
            [.method(999, 1, channel: 1)], [.method(60, 80, channel: 1, [0, 0])],
        ])
    @Loop func disorder(_ frames: [Frame]) async throws {
        let broker = try ScriptedBroker()
        try await withBroker(broker) { address in
            try await withConsumer(address, [.queue("queue", prefetch: 10) { _ in }]) { consumer in
                for frame in frames { broker.send(frame) }
                try await becomes { broker.loginCount == 2 }
                #expect(await consumer.waitUntilConsuming(within: .seconds(10)))
            }
        }
    }

    @Test("valid frames that a consumer does not expect are ignored, and the connection continues")
    @Loop func unexpected() async throws {
        let inbox = Inbox()
        let broker = try ScriptedBroker()
        try await withBroker(broker) { address in
            try await withConsumer(address, [.queue("queue", prefetch: 10) { inbox.deliveries.append($0) }]) { _ in
                broker.send(
                    .init(type: 8, channel: 0, []), .init(type: 77, channel: 1, [1, 2, 3]),
                    .deliver(tag: 1, channel: 9), .header(bodySize: 1, channel: 9), .body([1], channel: 9),
                    .method(60, 80, channel: 1, Frame.number(UInt64(5)) + [1]), .method(10, 60, Frame.short("alarm")),
                    .deliver(tag: 1), .header(bodySize: 0))
                try await becomes { inbox.deliveries.count == 1 }
                broker.send(.method(20, 20, channel: 1, [0]))
                try await becomes { broker.methods.contains(MethodID.channelFlowOK) }
                #expect(broker.loginCount == 1)
            }
        }
    }
}
