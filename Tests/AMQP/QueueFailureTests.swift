import BrokerSupport
import Logging
import Reactor
import TestSupport
import Testing

@testable import AMQP

@Suite("Queues that cannot be consumed")
struct QueueFailureTests {
    @Test("a missing queue does not keep the other queues from being consumed, and is consumed when it exists")
    @Loop func missing() async throws {
        try await TestTopology.run { topology in
            let present = try await topology.queue("present")
            let absent = topology.name("absent")
            let inbox = Inbox()
            let log = CapturedLog()
            let subscriptions = [absent, present].map { name in
                Subscription.queue(name, prefetch: 5) { delivery in
                    inbox.deliveries.append(delivery)
                    delivery.ack()
                }
            }
            try await withConsumer(topology.address, subscriptions, log: log.logger(.info)) { consumer in
                #expect(consumer.unavailableQueues == [absent])
                try await withPublisher(topology.address) { publisher in
                    try await publisher.publishConfirmed(.text("1", to: present))
                    try await becomes { inbox.bodies == ["1"] }
                    _ = try await topology.queue("absent")
                    try await publisher.publishConfirmed(.text("2", to: absent))
                    try await becomes { inbox.bodies == ["1", "2"] }
                }
                #expect(consumer.unavailableQueues.isEmpty)
                #expect(consumer.state == .consuming)
            }
            let lines = log.events.filter { $0.metadata["queue"] == "\(absent)" }
            #expect(lines.map(\.message) == ["the queue cannot be consumed", "the queue is consumed again"])
            #expect(log.events.filter { $0.message == "connected to the broker" }.count == 1)
        }
    }

    @Test("when a queue is deleted, the other queues of the connection are consumed as before")
    @Loop func deleted() async throws {
        try await TestTopology.run { topology in
            let (lost, kept) = (try await topology.queue("lost"), try await topology.queue("kept"))
            let inbox = Inbox()
            let subscriptions = [lost, kept].map { name in
                Subscription.queue(name, prefetch: 5) { inbox.deliveries.append($0) }
            }
            try await withConsumer(topology.address, subscriptions) { consumer in
                try await withPublisher(topology.address) { publisher in
                    try await publisher.publishConfirmed(.text("1", to: kept))
                    try await becomes { inbox.deliveries.count == 1 }
                    try await topology.provisioner.perform([.deleteQueue(lost)])
                    try await becomes { consumer.unavailableQueues == [lost] }
                    try await publisher.publishConfirmed(.text("2", to: kept))
                    try await becomes { inbox.bodies == ["1", "2"] }
                    // The delivery from before the deletion can still be acknowledged.
                    #expect(inbox.deliveries.allSatisfy { $0.ack() })
                    _ = try await topology.queue("lost")
                    try await publisher.publishConfirmed(.text("3", to: lost))
                    try await becomes { inbox.bodies == ["1", "2", "3"] }
                }
            }
        }
    }

    @Test("a consumer with a lower priority gets messages only while there is no other consumer")
    @Loop func priority() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let (first, second) = (Inbox(), Inbox())
            func subscription(_ inbox: Inbox) -> Subscription {
                .queue(queue, prefetch: 100) { delivery in
                    inbox.deliveries.append(delivery)
                    delivery.ack()
                }
            }
            try await withPublisher(topology.address) { publisher in
                try await withConsumer(topology.address, [subscription(first)]) { low in
                    low.setPriority(-10)
                    try await publisher.publishConfirmed(.text("alone", to: queue))
                    try await becomes { first.bodies == ["alone"] }
                    try await withConsumer(topology.address, [subscription(second)]) { _ in
                        for number in 1...20 { try await publisher.publishConfirmed(.text("\(number)", to: queue)) }
                        try await becomes { second.deliveries.count == 20 }
                        #expect(first.deliveries.count == 1)
                        low.setPriority(0)
                        let hasMore = try await eventually {
                            try await publisher.publishConfirmed(.text("again", to: queue))
                            return first.deliveries.count > 1
                        }
                        #expect(hasMore)
                    }
                }
            }
        }
    }

    @Test("a paused consumer gets no messages, can settle the earlier ones, and gets the rest when it resumes")
    @Loop func paused() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let inbox = Inbox()
            try await withPublisher(topology.address) { publisher in
                let subscription = Subscription.queue(queue, prefetch: 10) { inbox.deliveries.append($0) }
                try await withConsumer(topology.address, [subscription]) { consumer in
                    try await publisher.publishConfirmed(.text("1", to: queue))
                    try await becomes { inbox.bodies == ["1"] }
                    await consumer.pause()
                    for number in 2...3 { try await publisher.publishConfirmed(.text("\(number)", to: queue)) }
                    #expect(inbox.deliveries[0].ack())
                    try await Loop.sleep(for: .milliseconds(200))
                    #expect(inbox.deliveries.count == 1)
                    consumer.resume()
                    try await becomes { inbox.bodies == ["1", "2", "3"] }
                    for delivery in inbox.deliveries.dropFirst() { #expect(delivery.ack()) }
                }
            }
            #expect(try await topology.provisioner.depth(ofQueue: queue).ready == 0)
        }
    }
}
