import TestData
import TestSupport
import Testing

@testable import FaultProxy

@Suite("AMQP frames")
struct AMQPFramesTests {
    /// Feeds the parts to a parser, and returns the events with their channels, and the bytes of all frames.
    private func parse(
        _ parts: [[UInt8]], from peer: Peer
    ) -> (events: [AMQPFrames.Event], channels: [UInt16], bytes: [UInt8]) {
        var parser = AMQPFrames(from: peer)
        var result: (events: [AMQPFrames.Event], channels: [UInt16], bytes: [UInt8]) = ([], [], [])
        for part in parts {
            parser.append(part)
            while let frame = parser.next() {
                result.bytes += frame.bytes
                guard let event = frame.event else { continue }
                result.events.append(event)
                result.channels.append(frame.channel)
            }
        }
        return result
    }

    /// Checks the events of a stream that arrives at once, in two parts that are split at every byte, and byte by byte.
    private func expect(_ events: [AMQPFrames.Event], in stream: [UInt8], from peer: Peer) {
        let ways =
            [[stream], stream.map { [$0] }]
            + (1..<stream.count).map { [Array(stream[..<$0]), Array(stream[$0...])] }
        for parts in ways {
            let result = parse(parts, from: peer)
            #expect(result.events == events, "split into \(parts.map(\.count))")
            #expect(result.bytes == stream, "split into \(parts.map(\.count))")
        }
    }

    @Test("a client's messages, acknowledgements, refusals and channels are recognized, split at any byte")
    func client() {
        let stream =
            AMQPBytes.protocolHeader + AMQPBytes.openChannel(1) + AMQPBytes.method(MethodID.confirmSelect)
            + AMQPBytes.heartbeat
            + AMQPBytes.publish("warren.replies", "reply-key", id: "id-1", bodies: [[1], [2, 3]])
            + AMQPBytes.publish("warren.events", "post.created", bodies: []) + AMQPBytes.ack(7, isMultiple: true)
            + AMQPBytes.ack(9) + AMQPBytes.nack(10, isMultiple: true) + AMQPBytes.reject(11)
        expect(
            [
                .openedChannel, .selectedConfirms,
                .published(.init(exchange: "warren.replies", routingKey: "reply-key", correlationID: "id-1")),
                .published(.init(exchange: "warren.events", routingKey: "post.created")),
                .acknowledged(.init(tag: 7, isMultiple: true)), .acknowledged(.init(tag: 9, isMultiple: false)),
                .refused(.init(tag: 10, isMultiple: true)), .refused(.init(tag: 11, isMultiple: false)),
            ], in: stream, from: .client)
    }

    @Test("a broker's deliveries and confirms are recognized, split at any byte")
    func server() {
        let stream =
            AMQPBytes.deliver("warren.commands", "post.create", tag: 1, id: "id-1")
            + AMQPBytes.deliver("warren.events", "media.deleted", tag: 2, isRedelivered: true, bodies: [[], [0xCE]])
            + AMQPBytes.nack(3) + AMQPBytes.ack(4)
        expect(
            [
                .delivered(
                    .init(
                        exchange: "warren.commands", routingKey: "post.create", correlationID: "id-1",
                        expectsReply: true),
                    tag: 1, isRedelivered: false),
                .delivered(.init(exchange: "warren.events", routingKey: "media.deleted"), tag: 2, isRedelivered: true),
                .refused(.init(tag: 3, isMultiple: false)), .acknowledged(.init(tag: 4, isMultiple: false)),
            ], in: stream, from: .server)
    }

    @Test("messages whose frames alternate on two channels are recognized with their channels")
    func channels() {
        let (first, second) = (
            AMQPBytes.publish("a", "one", bodies: [[1]], channel: 1),
            AMQPBytes.publish("b", "two", bodies: [[2]], channel: 2)
        )
        let method = second.count - AMQPBytes.frame(FrameType.body, channel: 2, [2]).count
        let stream = AMQPBytes.protocolHeader + second[..<method] + first + second[method...]
        let result = parse([stream], from: .client)
        #expect(
            result.events == [
                .published(.init(exchange: "a", routingKey: "one")),
                .published(.init(exchange: "b", routingKey: "two")),
            ])
        #expect(result.channels == [1, 2])
    }

    @Test("the tags of an acknowledgement: one, all up to it, or with tag 0 all")
    func tags() {
        let cases: [(AMQPFrames.Tags, [UInt64])] = [
            (.init(tag: 2, isMultiple: false), [2]), (.init(tag: 2, isMultiple: true), [1, 2]),
            (.init(tag: 0, isMultiple: true), [1, 2, 3]), (.init(tag: 0, isMultiple: false), []),
        ]
        for (tags, expected) in cases { #expect((1...3).filter { tags.contains($0) } == expected, "\(tags)") }
    }

    @Test("a message whose last frame is incomplete has no event yet")
    func incomplete() {
        let message = AMQPBytes.deliver("warren.commands", "post.create", tag: 1)
        let result = parse([Array(message.dropLast())], from: .server)
        #expect(result.events.isEmpty)
        #expect(!result.bytes.isEmpty)
    }

    @Test(
        "bytes that are not AMQP are all forwarded",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), Array("A".utf8) + [0, 0], Array("AMQP".utf8) + [0, 0, 9, 1, 99],
            AMQPBytes.protocolHeader + [1, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0],
            AMQPBytes.protocolHeader + AMQPBytes.heartbeat.dropLast() + [0, 1, 2],
        ])
    func opaque(bytes: [UInt8]) {
        #expect(parse([bytes], from: .client).bytes == bytes)
        #expect(parse(bytes.map { [$0] }, from: .client).bytes == bytes)
    }

    @Test("a method whose arguments end early has no event, and its frame is forwarded")
    func truncatedArguments() {
        let methods = [
            MethodID.basicAck, MethodID.basicNack, MethodID.basicReject, MethodID.basicDeliver, MethodID.basicPublish,
        ]
        for id in methods {
            for size in 0..<8 {
                let stream = AMQPBytes.method(id, Array(repeating: 200, count: size))
                #expect(parse([stream], from: .server).events.isEmpty)
                #expect(parse([stream], from: .server).bytes == stream)
            }
        }
    }

    @Test("damaged streams are forwarded unchanged as far as they are complete, and do not trap")
    func damaged() {
        var generator = SeededGenerator(seed: 1)
        let intact =
            AMQPBytes.protocolHeader + AMQPBytes.publish("warren.replies", "key", id: "id", bodies: [[1], [2, 3]])
            + AMQPBytes.ack(1)
        for _ in 0..<5000 {
            var stream = intact
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                stream[Int.random(in: 0..<stream.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let result = parse([stream], from: .client)
            #expect(stream.starts(with: result.bytes))
        }
    }
}
