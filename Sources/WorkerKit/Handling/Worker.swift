internal import AMQP
internal import Logging
internal import Postgres
internal import Reactor

/// A queue that a worker reads, and how many of its deliveries it holds at once.
package struct QueueUse: Sendable, Hashable {
    /// The queue.
    package let name: String
    /// The most deliveries in hand.
    package let prefetch: UInt16

    /// Makes a use of a queue.
    package init(_ name: String, prefetch: UInt16) {
        self.name = name
        self.prefetch = prefetch
    }
}

/// Consumes a service's queues and hands each delivery to the dispatcher, as many at once as the prefetch allows.
@Loop final class Worker {
    private let consumer: Consumer
    private let dispatcher: Dispatcher
    private let deliveries: AsyncStream<Delivery>
    private let incoming: AsyncStream<Delivery>.Continuation

    init(address: BrokerAddress, name: String, queues: [QueueUse], dispatcher: Dispatcher, log: Logger) {
        // Unbounded by itself: the prefetch of the queues is the bound.
        let (deliveries, incoming) = AsyncStream.makeStream(of: Delivery.self)
        self.deliveries = deliveries
        self.incoming = incoming
        self.dispatcher = dispatcher
        let subscriptions = queues.map { queue in
            Subscription.queue(queue.name, prefetch: queue.prefetch) { incoming.yield($0) }
        }
        consumer = Consumer(address: address, name: name, subscriptions: subscriptions, log: log)
    }

    var isConsuming: Bool { consumer.state == .consuming }

    /// Consumes until `close`, and returns once every delivery in hand has ended and the connection is closed.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.consumer.run() }
            await withDiscardingTaskGroup { handling in
                for await delivery in deliveries {
                    handling.addTask { await self.dispatcher.handle(delivery) }
                }
            }
            await consumer.close()
        }
    }

    /// Takes no more deliveries; those in hand go on.
    func close() async {
        dispatcher.close()
        await consumer.stopConsuming()
        incoming.finish()
    }
}
