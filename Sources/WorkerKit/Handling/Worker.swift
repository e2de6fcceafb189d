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
///
/// A delivery that has been redelivered several times may be the one that makes workers crash. If it is handled
/// together with others, the broker counts each crash against all of them, and they would all reach the delivery limit.
/// Therefore a suspect is handled alone: the worker stops consuming, waits until it has no other delivery, and fetches
/// the suspects one by one. The broker delivers redelivered messages first, so the worker begins with them after each
/// connect.
@Loop final class Worker {
    /// The number of earlier deliveries after which a message is handled alone. A message also counts as delivered when
    /// the broker or the connection fails.
    static let suspectDeliveryCount = 3
    /// The priority of the consumers of a worker that lacks a dependency.
    private static let lowPriority: Int32 = -10
    /// How long a dependency must be missing before the worker's consumers get the low priority.
    private static let stepBackDelay: Duration = .seconds(1)

    private let queues: [ConsumedQueue]
    private let consumer: Consumer
    private let dispatcher: Dispatcher
    private let pool: PostgresPool
    private let deliveries: AsyncStream<Delivery>
    private let incoming: AsyncStream<Delivery>.Continuation
    /// Has an element after the consumers were paused.
    private let pauses: AsyncStream<Void>
    private let paused: AsyncStream<Void>.Continuation
    /// Suspects that arrived together with other deliveries.
    private var suspects: [Delivery] = []
    /// Fires when no delivery except ``suspects`` is in hand; `nil` if nothing waits for it.
    private var handsEmpty: Signal?
    private var stepBackTimer: LoopTimer?

    init(
        address: @autoclosure @escaping @Sendable () throws -> BrokerAddress, name: String, queues: [ConsumedQueue],
        dispatcher: Dispatcher, pool: PostgresPool, log: Logger
    ) {
        self.queues = queues
        self.dispatcher = dispatcher
        self.pool = pool
        // The stream is unbounded, because the prefetch of the queues limits the number of deliveries in it.
        let (deliveries, incoming) = AsyncStream.makeStream(of: Delivery.self)
        let (pauses, paused) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (self.deliveries, self.incoming, self.pauses, self.paused) = (deliveries, incoming, pauses, paused)
        let subscriptions = queues.map { queue in
            Subscription.queue(queue.name, prefetch: queue.prefetch) { incoming.yield($0) }
        }
        consumer = Consumer(address: try address(), name: name, subscriptions: subscriptions, log: log)
        consumer.startsPaused = true
        consumer.onPause = { paused.yield() }
        pool.onAvailabilityChange = { [weak self] in self?.dependenciesChanged() }
        dispatcher.outages.onChange = { [weak self] in self?.dependenciesChanged() }
    }

    var isConsuming: Bool { consumer.state == .consuming }

    /// The queues that cannot be consumed now, for example because they do not exist.
    var unavailableQueues: [String] { consumer.unavailableQueues }

    /// Consumes until ``close()`` is called. Returns when every delivery in flight has been handled and the connection
    /// is closed.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.consumer.run() }
            group.addTask { await self.handleSuspects() }
            await withDiscardingTaskGroup { handling in
                for await delivery in deliveries {
                    if Self.isSuspect(delivery) {
                        suspects.append(delivery)
                        consumer.pause()
                    } else {
                        handling.addTask { await self.handle(delivery) }
                    }
                }
            }
            for suspect in suspects { suspect.reject(requeue: true) }
            await consumer.close()
        }
    }

    /// Stops consuming. The deliveries in flight are still handled.
    func close() async {
        dispatcher.close()
        stepBackTimer?.cancel()
        paused.finish()
        await consumer.stopConsuming()
        incoming.finish()
    }

    private func handle(_ delivery: Delivery) async {
        await dispatcher.handle(delivery)
        checkHands()
    }

    // MARK: Suspects

    private static func isSuspect(_ delivery: Delivery) -> Bool {
        // A sender can set the header, too, but cannot make a first delivery look like a redelivery.
        delivery.isRedelivered && delivery.deliveryCount >= suspectDeliveryCount
    }

    /// After each pause of the consumers, handles the suspects at the front of the queues one by one, and then resumes
    /// the consumers.
    private func handleSuspects() async {
        for await _ in pauses where consumer.isPaused {
            await emptyHands()
            for suspect in suspects { suspect.reject(requeue: true) }
            suspects = []
            for queue in queues {
                while let delivery = await consumer.get(queue.name) {
                    guard Self.isSuspect(delivery) else {
                        incoming.yield(delivery)
                        break
                    }
                    await dispatcher.handle(delivery)
                }
            }
            consumer.resume()
        }
    }

    /// Waits until all deliveries except the suspects are settled.
    private func emptyHands() async {
        let empty = Signal()
        handsEmpty = empty
        dispatcher.outages.releaseHeld()
        checkHands()
        _ = await empty.waitThroughCancellation()
        handsEmpty = nil
    }

    private func checkHands() {
        if consumer.openCount <= suspects.count { handsEmpty?.fire() }
    }

    // MARK: Stepping back

    /// The dependencies that are not available.
    var missingDependencies: [Dependency] {
        let missing = Set(dispatcher.outages.missing)
        let database: Set<Dependency> = pool.availability == .unavailable ? [.database] : []
        return missing.union(database).sorted { $0.description < $1.description }
    }

    /// Gives the consumers a low priority while a dependency is missing, so that the broker delivers to other workers,
    /// which may have the dependency.
    private func dependenciesChanged() {
        let isMissing = !missingDependencies.isEmpty
        guard isMissing != (stepBackTimer != nil) else { return }
        stepBackTimer?.cancel()
        stepBackTimer = nil
        guard isMissing else { return consumer.setPriority(0) }
        stepBackTimer = Loop.schedule(after: Self.stepBackDelay) { [weak self] in
            self?.consumer.setPriority(Self.lowPriority)
        }
    }
}
