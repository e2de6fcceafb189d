import AMQP
import BrokerSupport
import Logging
import Reactor
import TestSupport
import Testing

@Suite("Publisher")
struct PublisherTests {
    @Test("each of a thousand messages is confirmed")
    @Loop func confirms() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await withPublisher(topology.address) { publisher in
                var confirmed = 0
                for index in 0..<1000 {
                    try publisher.publish(.text("\(index)", to: queue, isMandatory: true)) { result in
                        if case .success = result { confirmed += 1 }
                    }
                }
                #expect(publisher.outstandingCount == 1000)
                try await becomes { confirmed == 1000 }
                #expect(publisher.outstandingCount == 0)
            }
            #expect(try await topology.provisioner.depth(ofQueue: queue).ready == 1000)
        }
    }

    @Test("an unroutable mandatory message fails with returned, and the messages around it are confirmed")
    @Loop func returns() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await withPublisher(topology.address) { publisher in
                var results: [Int: Result<Void, PublishError>] = [:]
                for index in 0..<100 {
                    let target = index == 42 ? topology.name("nowhere") : queue
                    try publisher.publish(.text("x", to: target, isMandatory: true, id: "\(index)")) {
                        results[index] = $0
                    }
                }
                try await becomes { results.count == 100 }
                for (index, result) in results {
                    guard index == 42 else {
                        if case .failure(let error) = result { Issue.record(error, "message \(index)") }
                        continue
                    }
                    expectReturned(#expect(throws: PublishError.self) { try result.get() })
                }
                expectReturned(
                    await #expect(throws: PublishError.self) {
                        let message = OutgoingMessage.text("y", to: topology.name("nowhere"), isMandatory: true)
                        try await publisher.publishConfirmed(message)
                    })
                // The broker drops an unroutable message that is not mandatory, and confirms it.
                try await publisher.publishConfirmed(.text("z", to: topology.name("nowhere")))
            }
        }
    }

    private func expectReturned(_ error: PublishError?) {
        #expect(error?.code == .returned)
        #expect(error?.replyCode == 312)
        #expect(error?.message == "NO_ROUTE")
    }

    @Test("a message to a full queue fails with refused")
    @Loop func refused() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue(
                arguments: ["x-max-length": 2, "x-overflow": "reject-publish"])
            try await withPublisher(topology.address) { publisher in
                try await publisher.publishConfirmed(.text("1", to: queue))
                try await publisher.publishConfirmed(.text("2", to: queue))
                // RabbitMQ checks the length before it adds a message, so one more message may be accepted.
                var refusals = 0
                for index in 3...6 {
                    do throws(PublishError) {
                        try await publisher.publishConfirmed(.text("\(index)", to: queue))
                    } catch {
                        #expect(error.code == .refused)
                        refusals += 1
                    }
                }
                #expect(refusals >= 3)
            }
        }
    }

    @Test("while a full queue refuses messages, so that channels are replaced, all other messages are confirmed")
    @Loop func refusedBesideOthers() async throws {
        try await TestTopology.run { topology in
            let full = try await topology.queue("full", arguments: ["x-max-length": 0, "x-overflow": "reject-publish"])
            let queue = try await topology.queue()
            try await withPublisher(topology.address) { publisher in
                var (published, confirmed, refused) = (0, 0, 0)
                let end = ContinuousClock.now + .seconds(3)
                while .now < end {
                    published += 1
                    try publisher.publish(.text("\(published)", to: queue)) { result in
                        if case .success = result { confirmed += 1 }
                    }
                    try publisher.publish(.text("surplus", to: full)) { result in
                        if case .failure(let error) = result, error.code == .refused { refused += 1 }
                    }
                    if published % 10 == 0 { try await Loop.sleep(for: .milliseconds(5)) }
                }
                try await becomes { publisher.outstandingCount == 0 }
                #expect(confirmed == published)
                // RabbitMQ checks the length before it adds a message, so some may be accepted.
                #expect(refused > published / 2)
            }
        }
    }

    @Test("an unroutable message that was published without a confirm is logged, and the publisher stays connected")
    @Loop func logsReturn() async throws {
        try await TestTopology.run { topology in
            let log = CapturedLog()
            try await withPublisher(topology.address, log: log.logger(.trace)) { publisher in
                try publisher.publish(.text("reply", to: topology.name("gone"), isMandatory: true))
                try await becomes { log.events.contains { $0.message == "the broker returned an unroutable message" } }
                #expect(publisher.availability == .available)
            }
        }
    }

    @Test(
        "message bodies of all sizes arrive unchanged, also of sizes close to a multiple of the frame size",
        arguments: [0, 1, 131_063, 131_064, 131_065, 262_128, 5 << 20])
    @Loop func bodySizes(size: Int) async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let body = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                for index in 0..<size {
                    buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: index &* 31))
                }
                count = size
            }
            let inbox = Inbox()
            try await withPublisher(topology.address) { publisher in
                try await publisher.publishConfirmed(
                    OutgoingMessage(exchange: "", routingKey: queue, isMandatory: true, body: body))
                try await publisher.publishConfirmed(.text("after", to: queue, isMandatory: true))
            }
            let subscription = Subscription.queue(queue, prefetch: 10) { delivery in
                inbox.deliveries.append(delivery)
                delivery.ack()
            }
            try await withConsumer(topology.address, [subscription]) { _ in
                try await becomes { inbox.deliveries.count == 2 }
            }
            #expect(inbox.deliveries.first?.body == body)
            #expect(inbox.deliveries.last?.body == Array("after".utf8))
        }
    }

    @Test("a message that exceeds a limit fails with tooLarge, and the publisher stays connected")
    @Loop func tooLarge() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            var options = Publisher.Options()
            options.maximumBody = 1000
            try await withPublisher(topology.address, options: options) { publisher in
                let long = String(repeating: "x", count: 256)
                var deep = FieldValue.int64(1)
                for _ in 0...FieldValue.maximumDepth { deep = .array([deep]) }
                let impossible = [
                    OutgoingMessage(exchange: "", routingKey: queue, body: [UInt8](repeating: 0, count: 1001)),
                    OutgoingMessage(exchange: "", routingKey: long, body: []),
                    OutgoingMessage(exchange: long, routingKey: queue, body: []),
                    OutgoingMessage(
                        exchange: "", routingKey: queue, properties: Properties(correlationID: long), body: []),
                    OutgoingMessage(
                        exchange: "", routingKey: queue, properties: Properties(headers: [long: 1]), body: []),
                    OutgoingMessage(
                        exchange: "", routingKey: queue, properties: Properties(headers: ["a": deep]), body: []),
                    OutgoingMessage(
                        exchange: "", routingKey: queue,
                        properties: Properties(headers: ["a": .bytes([UInt8](repeating: 0, count: 131_072))]),
                        body: []),
                ]
                for message in impossible {
                    let plain = #expect(throws: PublishError.self) { try publisher.publish(message) }
                    #expect(plain?.code == .tooLarge)
                    #expect(plain?.isTransient == false)
                    let confirmed = await #expect(throws: PublishError.self) {
                        try await publisher.publishConfirmed(message)
                    }
                    #expect(confirmed?.code == .tooLarge)
                }
                try await publisher.publishConfirmed(.text("fine", to: queue, isMandatory: true))
            }
            #expect(try await topology.provisioner.depth(ofQueue: queue).ready == 1)
        }
    }

    @Test("publishing fails with unavailable while too many messages await their confirm")
    @Loop func bounds() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            var options = Publisher.Options()
            options.maximumOutstanding = 3
            try await withPublisher(topology.address, options: options) { publisher in
                for _ in 0..<3 { try publisher.publish(.text("x", to: queue)) { _ in } }
                let error = #expect(throws: PublishError.self) {
                    try publisher.publish(.text("x", to: queue)) { _ in }
                }
                #expect(error?.code == .unavailable)
                #expect(error?.isTransient == true)
                try publisher.publish(.text("x", to: queue))
                try await becomes { publisher.outstandingCount == 0 }
                try await publisher.publishConfirmed(.text("x", to: queue))
            }
        }
    }

    @Test("close() of a publisher waits for the outstanding confirms, and later publishing fails with unavailable")
    @Loop func closes() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let publisher = Publisher(address: topology.address, name: "closing", log: .quiet)
            async let running: Void = publisher.run()
            #expect(await publisher.waitUntilAvailable(within: .seconds(10)))
            var confirmed = 0
            for _ in 0..<200 {
                try publisher.publish(.text("x", to: queue)) { if case .success = $0 { confirmed += 1 } }
            }
            await publisher.close(within: .seconds(10))
            #expect(confirmed == 200)
            #expect(publisher.availability == .closed)
            let error = #expect(throws: PublishError.self) { try publisher.publish(.text("x", to: queue)) }
            #expect(error?.code == .unavailable)
            await running
            await publisher.run()
            await publisher.close()
            #expect(await !publisher.waitUntilAvailable(within: .seconds(10)))
        }
    }

    @Test("the completion of a message can publish the next message")
    @Loop func publishesFromConfirm() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await withPublisher(topology.address) { publisher in
                let chain = Chain(publisher: publisher, queue: queue, left: 50)
                chain.next()
                try await becomes { chain.left == 0 }
            }
        }
    }

    @Loop private final class Chain {
        let publisher: Publisher
        let queue: String
        var left: Int

        init(publisher: Publisher, queue: String, left: Int) {
            self.publisher = publisher
            self.queue = queue
            self.left = left
        }

        func next() {
            try? publisher.publish(.text("x", to: queue)) { result in
                guard case .success = result else { return }
                self.left -= 1
                if self.left > 0 { self.next() }
            }
        }
    }
}
