import AMQP
import Reactor
import TestSupport
import Testing

@Suite("A publisher")
struct PublisherTests {
    @Test("hears the confirm of each of a thousand publishes")
    @Loop func confirms() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            try await withPublisher(scratch.address) { publisher in
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
            #expect(try await scratch.provisioner.depth(ofQueue: queue).ready == 1000)
        }
    }

    @Test("hears of the one unroutable message among routable ones, and of no other")
    @Loop func returns() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            try await withPublisher(scratch.address) { publisher in
                var results: [Int: Result<Void, PublishError>] = [:]
                for index in 0..<100 {
                    let target = index == 42 ? scratch.name("nowhere") : queue
                    try publisher.publish(.text("x", to: target, isMandatory: true, id: "\(index)")) {
                        results[index] = $0
                    }
                }
                try await becomes { results.count == 100 }
                for (index, result) in results {
                    guard index == 42 else {
                        if case .failure = result { Issue.record("message \(index) was not published") }
                        continue
                    }
                    #expect(throws: PublishError.returned(code: 312, text: "NO_ROUTE")) { try result.get() }
                }
                await #expect(throws: PublishError.returned(code: 312, text: "NO_ROUTE")) {
                    try await publisher.publishConfirmed(.text("y", to: scratch.name("nowhere"), isMandatory: true))
                }
                // What is not mandatory goes nowhere, and is confirmed all the same.
                try await publisher.publishConfirmed(.text("z", to: scratch.name("nowhere")))
            }
        }
    }

    @Test("hears that a full queue refuses")
    @Loop func refused() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue(
                arguments: ["x-max-length": 2, "x-overflow": "reject-publish"])
            try await withPublisher(scratch.address) { publisher in
                try await publisher.publishConfirmed(.text("1", to: queue))
                try await publisher.publishConfirmed(.text("2", to: queue))
                // RabbitMQ looks at the length before it takes a message; the next one may still slip in.
                var refusals = 0
                for index in 3...6 {
                    do throws(PublishError) {
                        try await publisher.publishConfirmed(.text("\(index)", to: queue))
                    } catch {
                        #expect(error == .refused)
                        refusals += 1
                    }
                }
                #expect(refusals >= 3)
            }
        }
    }

    @Test("counts what came back of what nobody waited for")
    @Loop func countsReturns() async throws {
        try await Scratch.run { scratch in
            try await withPublisher(scratch.address) { publisher in
                try publisher.publish(.text("reply", to: scratch.name("gone"), isMandatory: true))
                try await becomes { publisher.returnedCount == 1 }
                #expect(publisher.availability == .available)
            }
        }
    }

    @Test(
        "takes bodies of every size around the frame's, and large ones",
        arguments: [0, 1, 131_063, 131_064, 131_065, 262_128, 5 << 20])
    @Loop func bodySizes(size: Int) async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            let body = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                for index in 0..<size {
                    buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: index &* 31))
                }
                count = size
            }
            let inbox = Inbox()
            try await withPublisher(scratch.address) { publisher in
                try await publisher.publishConfirmed(
                    OutgoingMessage(exchange: "", routingKey: queue, isMandatory: true, body: body))
                try await publisher.publishConfirmed(.text("after", to: queue, isMandatory: true))
            }
            let subscription = Subscription.queue(queue, prefetch: 10) { delivery in
                inbox.deliveries.append(delivery)
                delivery.ack()
            }
            try await withConsumer(scratch.address, [subscription]) { _ in
                try await becomes { inbox.deliveries.count == 2 }
            }
            #expect(inbox.deliveries.first?.body == body)
            #expect(inbox.deliveries.last?.body == Array("after".utf8))
        }
    }

    @Test("refuses what the connection cannot carry, and stays connected")
    @Loop func tooLarge() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            var options = Publisher.Options()
            options.maximumBody = 1000
            try await withPublisher(scratch.address, options: options) { publisher in
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
                        properties: Properties(headers: ["a": .bytes([UInt8](repeating: 0, count: 131_072))]), body: []),
                ]
                for message in impossible {
                    #expect(throws: PublishError.tooLarge) { try publisher.publish(message) }
                    await #expect(throws: PublishError.tooLarge) { try await publisher.publishConfirmed(message) }
                }
                try await publisher.publishConfirmed(.text("fine", to: queue, isMandatory: true))
            }
            #expect(try await scratch.provisioner.depth(ofQueue: queue).ready == 1)
        }
    }

    @Test("takes no more than its bounds allow")
    @Loop func bounds() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            var options = Publisher.Options()
            options.maximumOutstanding = 3
            try await withPublisher(scratch.address, options: options) { publisher in
                for _ in 0..<3 { try publisher.publish(.text("x", to: queue)) { _ in } }
                #expect(throws: PublishError.unavailable) { try publisher.publish(.text("x", to: queue)) { _ in } }
                try publisher.publish(.text("x", to: queue))
                try await becomes { publisher.outstandingCount == 0 }
                try await publisher.publishConfirmed(.text("x", to: queue))
            }
        }
    }

    @Test("waits at its close for the confirms under way, and takes nothing more")
    @Loop func closes() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            let publisher = Publisher(address: scratch.address, name: "closing", log: quiet)
            async let running: Void = publisher.run()
            #expect(await publisher.waitUntilAvailable(within: .seconds(10)))
            var confirmed = 0
            for _ in 0..<200 {
                try publisher.publish(.text("x", to: queue)) { if case .success = $0 { confirmed += 1 } }
            }
            await publisher.close(within: .seconds(10))
            #expect(confirmed == 200)
            #expect(publisher.availability == .closed)
            #expect(throws: PublishError.unavailable) { try publisher.publish(.text("x", to: queue)) }
            await running
            await publisher.run()
            await publisher.close()
            #expect(await !publisher.waitUntilAvailable(within: .seconds(10)))
        }
    }

    @Test("may publish from within the news of a confirm")
    @Loop func publishesFromConfirm() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            try await withPublisher(scratch.address) { publisher in
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

    @Test("a wait for a confirm that is cancelled ends at once, with an unknown outcome")
    @Loop func cancelsWait() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            try await withPublisher(scratch.address) { publisher in
                let message = OutgoingMessage.text("x", to: queue)
                let waiting = Task { @Loop in try await publisher.publishConfirmed(message) }
                waiting.cancel()
                let result = await waiting.result
                #expect(throws: PublishError.outcomeUnknown) { try result.get() }
                try await publisher.publishConfirmed(.text("y", to: queue))
            }
        }
    }
}
