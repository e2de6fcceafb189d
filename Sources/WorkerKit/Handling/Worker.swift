internal import AMQP
internal import Logging
internal import Postgres
internal import Reactor

/// A queue that a worker consumes.
package struct ConsumedQueue: Sendable, Hashable {
    /// The queue's name.
    package let name: String
    /// The most unacknowledged deliveries at a time.
    package let prefetch: UInt16

    /// Makes a consumed queue.
    package init(_ name: String, prefetch: UInt16) {
        self.name = name
        self.prefetch = prefetch
    }
}

/// Consumes a service's queues and passes the deliveries to the dispatcher, concurrently up to the prefetch.
@Loop final class Worker {
    private let consumer: Consumer
    private let dispatcher: Dispatcher
    private let deliveries: AsyncStream<Delivery>
    private let incoming: AsyncStream<Delivery>.Continuation

    init(address: BrokerAddress, name: String, queues: [ConsumedQueue], dispatcher: Dispatcher, log: Logger) {
        // The stream has no bound of its own, because the queues' prefetch limits the deliveries.
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

    /// Consumes until ``close()``, and returns when every delivery in flight has ended and the connection is closed.
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

    /// Stops taking deliveries; those in flight go on.
    func close() async {
        dispatcher.close()
        await consumer.stopConsuming()
        incoming.finish()
    }
}
