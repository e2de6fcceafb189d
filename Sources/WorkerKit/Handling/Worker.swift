internal import AMQP
internal import Logging
internal import Postgres
internal import Reactor
internal import Redis

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
/// The broker counts a crash of a worker against every delivery that the worker had. Therefore a suspect, which is a
/// delivery that was delivered several times before, is handled alone: the worker stops consuming, waits until the
/// other deliveries are settled, and delays all other suspects. A crash then counts against the message that causes it.
@Loop final class Worker {
    /// The number of earlier deliveries after which a message is handled alone. A message also counts as delivered when
    /// the broker or the connection fails.
    static let suspectDeliveryCount = 3
    /// The priority of the consumers of a worker that lacks a dependency.
    private static let lowPriority: Int32 = -10
    /// How long a dependency must be missing before the worker's consumers get the low priority.
    private static let stepBackDelay: Duration = .seconds(1)

    private let consumer: Consumer
    private let dispatcher: Dispatcher
    private let pool: PostgresPool
    /// The Redis server of the service's caches; `nil` if the service has none.
    private let caches: RedisClient?
    private let deliveries: AsyncStream<Delivery>
    private let incoming: AsyncStream<Delivery>.Continuation
    private let unsettled: Unsettled
    private var suspects: [Delivery] = []
    private var isHandlingSuspects = false
    private var stepBackTimer: LoopTimer?

    /// Counts the deliveries that have arrived and are neither settled nor suspects.
    @Loop private final class Unsettled {
        private var count = 0
        /// Fires when the count is zero; `nil` if nothing waits for it.
        private var isZero: Signal?

        nonisolated init() {}

        func add(_ number: Int) {
            count += number
            if count == 0 { isZero?.fire() }
        }

        func waitUntilZero() async {
            guard count > 0 else { return }
            let signal = Signal()
            isZero = signal
            _ = await signal.waitThroughCancellation()
            isZero = nil
        }
    }

    init(
        address: @autoclosure @escaping @Sendable () throws -> BrokerAddress, name: String, queues: [ConsumedQueue],
        dispatcher: Dispatcher, pool: PostgresPool, caches: RedisClient? = nil, log: Logger
    ) {
        self.dispatcher = dispatcher
        self.pool = pool
        self.caches = caches
        // The stream is unbounded, because the prefetch of the queues limits the number of deliveries in it.
        let (deliveries, incoming) = AsyncStream.makeStream(of: Delivery.self)
        let unsettled = Unsettled()
        (self.deliveries, self.incoming, self.unsettled) = (deliveries, incoming, unsettled)
        let subscriptions = queues.map { queue in
            Subscription.queue(queue.name, prefetch: queue.prefetch) { delivery in
                unsettled.add(1)
                incoming.yield(delivery)
            }
        }
        consumer = Consumer(address: try address(), name: name, subscriptions: subscriptions, log: log)
        pool.onAvailabilityChange = { [weak self] in self?.dependenciesChanged() }
        caches?.onAvailabilityChange = { [weak self] in self?.dependenciesChanged() }
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
            await withDiscardingTaskGroup { handling in
                for await delivery in deliveries {
                    if Self.isSuspect(delivery) {
                        unsettled.add(-1)
                        suspects.append(delivery)
                        guard !isHandlingSuspects else { continue }
                        isHandlingSuspects = true
                        handling.addTask { await self.handleSuspects() }
                    } else {
                        handling.addTask {
                            await self.dispatcher.handle(delivery)
                            await self.unsettled.add(-1)
                        }
                    }
                }
            }
            await consumer.close()
        }
    }

    /// Stops consuming. The deliveries in flight are still handled.
    func close() async {
        dispatcher.close()
        stepBackTimer?.cancel()
        await consumer.stopConsuming()
        incoming.finish()
    }

    // MARK: Suspects

    private static func isSuspect(_ delivery: Delivery) -> Bool {
        delivery.totalDeliveryCount >= suspectDeliveryCount
    }

    /// Handles the first suspect alone and delays the others. Repeats this if further suspects arrive meanwhile.
    private func handleSuspects() async {
        // While consuming is stopped, messages that need a missing dependency are delayed instead of being held.
        dispatcher.outages.holdsMessages = false
        await consumer.pause()
        while !suspects.isEmpty {
            // Deliveries that arrived before the pause may not have been taken from the stream yet. They are counted,
            // too.
            await unsettled.waitUntilZero()
            let first = suspects.removeFirst()
            while let other = suspects.popLast() { await dispatcher.delay(other) }
            await dispatcher.handle(first)
        }
        isHandlingSuspects = false
        dispatcher.outages.holdsMessages = true
        consumer.resume()
    }

    // MARK: Stepping back

    /// The dependencies that are not available.
    var missingDependencies: [Dependency] {
        let missing = Set(dispatcher.outages.missing)
        let database: Set<Dependency> = pool.availability == .unavailable ? [.database] : []
        let redis: Set<Dependency> = caches?.isUnavailable == true ? [.redis] : []
        return missing.union(database).union(redis).sorted { $0.description < $1.description }
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
