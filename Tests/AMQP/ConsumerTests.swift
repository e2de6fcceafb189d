import BrokerSupport
import Reactor
import TestSupport
import Testing

@testable import AMQP

@Suite("Consumer")
struct ConsumerTests {
    @Loop private func fill(_ topology: TestTopology, _ queue: String, _ count: Int) async throws {
        try await withPublisher(topology.address) { publisher in
            for index in 1..<count { try publisher.publish(.text("\(index)", to: queue)) { _ in } }
            try await publisher.publishConfirmed(.text("\(count)", to: queue))
            try await becomes { publisher.outstandingCount == 0 }
        }
    }

    @Test("a consumer receives no more unsettled deliveries than its prefetch")
    @Loop func prefetches() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await fill(topology, queue, 20)
            let inbox = Inbox()
            let subscription = Subscription.queue(queue, prefetch: 5) { inbox.deliveries.append($0) }
            try await withConsumer(topology.address, [subscription]) { consumer in
                try await becomes { inbox.deliveries.count == 5 }
                try await Loop.sleep(for: .milliseconds(200))
                #expect(inbox.deliveries.count == 5)
                #expect(consumer.openCount == 5)
                for delivery in inbox.deliveries.prefix(3) { #expect(delivery.ack()) }
                try await becomes { inbox.deliveries.count == 8 }
                try await Loop.sleep(for: .milliseconds(200))
                #expect(inbox.deliveries.count == 8)
                #expect(inbox.bodies == (1...8).map { "\($0)" })
            }
        }
    }

    @Test("after a consumer has closed, exactly the deliveries that it did not settle are redelivered")
    @Loop func redelivers() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await fill(topology, queue, 30)
            let inbox = Inbox()
            let settled = [7, 3, 30, 1, 2, 29, 15, 4, 16]
            let subscription = Subscription.queue(queue, prefetch: 100) { inbox.deliveries.append($0) }
            try await withConsumer(topology.address, [subscription]) { _ in
                try await becomes { inbox.deliveries.count == 30 }
                for number in settled {
                    #expect(inbox.deliveries[number - 1].ack())
                    #expect(!inbox.deliveries[number - 1].ack())
                    if number % 2 == 0 { try await Loop.sleep(for: .milliseconds(5)) }
                }
            }
            #expect(!inbox.deliveries[4].ack())
            let again = Inbox()
            try await withConsumer(
                topology.address, [.queue(queue, prefetch: 100) { again.deliveries.append($0) }]
            ) { _ in
                let expected = (1...30).filter { !settled.contains($0) }.map { "\($0)" }
                try await becomes { again.deliveries.count == expected.count }
                try await Loop.sleep(for: .milliseconds(200))
                #expect(again.bodies == expected)
                #expect(again.deliveries.allSatisfy { $0.isRedelivered })
            }
        }
    }

    @Test("an exclusive consumer excludes other consumers of its queue until it closes")
    @Loop func exclusive() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await fill(topology, queue, 1)
            let (first, second) = (Inbox(), Inbox())
            let next = Consumer(
                address: topology.address, name: "test consumer",
                subscriptions: [.queue(queue, prefetch: 1, isExclusive: true) { second.deliveries.append($0) }],
                log: .quiet)
            try await withThrowingDiscardingTaskGroup { group in
                try await withConsumer(
                    topology.address,
                    [.queue(queue, prefetch: 1, isExclusive: true) { first.deliveries.append($0) }]
                ) { _ in
                    group.addTask { await next.run() }
                    try await becomes { first.deliveries.count == 1 }
                    #expect(await !next.waitUntilConsuming(within: .seconds(1)))
                    #expect(second.deliveries.isEmpty)
                }
                #expect(await next.waitUntilConsuming(within: .seconds(20)))
                try await becomes { second.deliveries.count == 1 }
                await next.close()
            }
        }
    }

    @Test("a rejected delivery is redelivered if requeue is true, and dropped otherwise")
    @Loop func rejects() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await fill(topology, queue, 2)
            let inbox = Inbox()
            try await withConsumer(
                topology.address,
                [
                    .queue(queue, prefetch: 10) { delivery in
                        inbox.deliveries.append(delivery)
                        #expect(delivery.reject(requeue: !delivery.isRedelivered))
                        #expect(!delivery.ack())
                    }
                ]
            ) { consumer in
                try await becomes { inbox.deliveries.count == 4 }
                #expect(consumer.openCount == 0)
            }
            #expect(try await topology.provisioner.depth(ofQueue: queue).ready == 0)
        }
    }

    @Test("a stopped consumer can settle its open deliveries and receives no further deliveries")
    @Loop func stops() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await fill(topology, queue, 10)
            let inbox = Inbox()
            try await withConsumer(
                topology.address, [.queue(queue, prefetch: 4) { inbox.deliveries.append($0) }]
            ) { consumer in
                try await becomes { inbox.deliveries.count == 4 }
                await consumer.stopConsuming()
                #expect(consumer.state == .stopped)
                for delivery in inbox.deliveries { #expect(delivery.ack()) }
                try await Loop.sleep(for: .milliseconds(200))
                #expect(inbox.deliveries.count == 4)
                #expect(consumer.openCount == 0)
                await consumer.stopConsuming()
            }
            let depth = try await topology.provisioner.depth(ofQueue: queue)
            #expect(depth == .init(ready: 6, consumers: 0))
        }
    }

    @Test("a consumer of several queues has a separate prefetch for each queue")
    @Loop func consumesSeveral() async throws {
        try await TestTopology.run { topology in
            let queues = [try await topology.queue("a"), try await topology.queue("b")]
            for queue in queues { try await fill(topology, queue, 6) }
            let inboxes = [Inbox(), Inbox()]
            let subscriptions = [
                Subscription.queue(queues[0], prefetch: 2) { inboxes[0].deliveries.append($0) },
                Subscription.queue(queues[1], prefetch: 4) { inboxes[1].deliveries.append($0) },
            ]
            try await withConsumer(topology.address, subscriptions) { _ in
                try await becomes { inboxes[0].deliveries.count == 2 && inboxes[1].deliveries.count == 4 }
                #expect(inboxes[0].deliveries.allSatisfy { $0.queue == queues[0] && $0.routingKey == queues[0] })
                #expect(inboxes[1].deliveries.allSatisfy { $0.queue == queues[1] })
            }
        }
    }

    @Test("a consumer resumes after its queue was deleted and declared again")
    @Loop func survivesDeletion() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let inbox = Inbox()
            try await withConsumer(
                topology.address,
                [
                    .queue(queue, prefetch: 4) { delivery in
                        inbox.deliveries.append(delivery)
                        delivery.ack()
                    }
                ]
            ) { consumer in
                try await topology.provisioner.perform([.deleteQueue(queue)])
                try await becomes { consumer.state == .connecting }
                try await topology.provisioner.perform([.queue(queue)])
                #expect(await consumer.waitUntilConsuming(within: .seconds(20)))
                try await fill(topology, queue, 3)
                try await becomes { inbox.bodies == ["1", "2", "3"] }
            }
        }
    }

    @Test("a handler can close its consumer, and the unsettled deliveries return to the queue")
    @Loop func closesFromHandler() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            try await fill(topology, queue, 50)
            let state = HandlerState()
            let consumer = Consumer(
                address: topology.address, name: "self-closing",
                subscriptions: [
                    .queue(queue, prefetch: 50) { delivery in
                        delivery.ack()
                        state.count += 1
                        if state.count == 10 { state.closing = Task { await state.consumer?.close() } }
                    }
                ], log: .quiet)
            state.consumer = consumer
            await consumer.run()
            await state.closing?.value
            #expect(consumer.state == .closed)
            #expect(state.count >= 10)
            let left = try await topology.provisioner.depth(ofQueue: queue).ready
            #expect(left == 50 - state.count)
            await consumer.run()
            await consumer.close()
        }
    }

    @Loop private final class HandlerState {
        var consumer: Consumer?
        var closing: Task<Void, Never>?
        var count = 0
    }

    @Test("run() of a consumer returns soon after its task is cancelled, and the queue has no consumer left")
    @Loop func cancels() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let consumer = Consumer(
                address: topology.address, name: "cancelled", subscriptions: [.queue(queue, prefetch: 1) { _ in }],
                log: .quiet)
            let start = ContinuousClock.now
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await consumer.run() }
                _ = await consumer.waitUntilConsuming(within: .seconds(10))
                group.cancelAll()
            }
            #expect(consumer.state == .closed)
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(try await topology.provisioner.depth(ofQueue: queue).consumers == 0)
        }
    }
}
