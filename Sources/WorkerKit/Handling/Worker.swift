internal import AMQP
internal import Logging
internal import Postgres
internal import Reactor

/// A queue that a worker consumes.
package struct ConsumedQueue: Sendable, Hashable {
    /// The queue's name.
    package let name: String
    /// The maximum number of unacknowledged deliveries.
    package let prefetch: UInt16

    package init(_ name: String, prefetch: UInt16) {
        self.name = name
        self.prefetch = prefetch
    }
}

/// Consumes a service's queues and passes the deliveries to the dispatcher. The deliveries are handled concurrently;
/// the prefetch of each queue limits their number.
@Loop final class Worker {
    private let consumer: Consumer
    private let dispatcher: Dispatcher
    private let deliveries: AsyncStream<Delivery>
    private let incoming: AsyncStream<Delivery>.Continuation

    init(address: BrokerAddress, name: String, queues: [ConsumedQueue], dispatcher: Dispatcher, log: Logger) {
        // The stream is unbounded, because the prefetch of the queues limits the number of deliveries in it.
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

    /// Consumes until ``close()`` is called. Returns when every delivery in flight has been handled and the connection
    /// is closed.
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

    /// Stops consuming. The deliveries in flight are still handled.
    func close() async {
        dispatcher.close()
        await consumer.stopConsuming()
        incoming.finish()
    }
}
