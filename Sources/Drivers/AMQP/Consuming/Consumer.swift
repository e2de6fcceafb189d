package import Logging
package import Reactor

/// Consumes queues on a connection of its own, with one channel per subscription, and reconnects while it runs.
///
/// If the broker closes the channel of a queue, for example because the queue does not exist, or cancels its consumer,
/// the other queues are consumed as before. The queue is tried again after a delay.
///
/// Handlers receive deliveries in the order in which they arrive. Acknowledgements are combined and sent at the end of
/// each turn of the loop.
@Loop package final class Consumer {
    /// The state of a consumer.
    package enum State: Sendable, Equatable {
        /// The consumer is not connected, or no subscription is active. While ``run()`` is active, the consumer tries
        /// to change this.
        case connecting
        /// All subscriptions are active, except those of ``unavailableQueues``.
        case consuming
        /// Consuming has been cancelled or is being cancelled. Deliveries that the broker sent before the cancellation
        /// can still arrive. Open deliveries can be settled while the connection lasts.
        case stopped
        /// The consumer was closed.
        case closed
    }

    /// The current state.
    package private(set) var state = State.connecting {
        didSet { stateChanged() }
    }
    /// The queues that cannot be consumed now, for example because they do not exist.
    package var unavailableQueues: [String] { slots.filter(\.isUnavailable).map(\.queue).sorted() }
    /// The number of deliveries on the current connection that are not settled.
    var openCount: Int { slots.reduce(0) { $0 + ($1.channel?.openCount ?? 0) } }

    /// A subscription and its channel.
    private struct Slot {
        let subscription: Subscription
        var channel: ConsumerChannel?
        var isUnavailable = false
        /// Delays between attempts to consume a queue again.
        var backoff = Backoff(.milliseconds(500) ... .seconds(10))
        var timer: LoopTimer?

        var queue: String {
            switch subscription.source {
            case .queue(let name, _, _): name
            case .replies: channel?.queue ?? ""
            }
        }
    }

    private let log: Logger
    private let reconnectLoop: ReconnectLoop
    private var slots: [Slot]
    private var connection: AMQPConnection?
    private var target = ConsumerChannel.Target()
    /// Fires when no subscription has an active consumer any more, or when the connection has ended.
    private var allIdle: Signal?
    /// Fires when the state is no longer ``State/connecting``. Replaced when the state becomes ``State/connecting``
    /// again.
    private var leftConnecting = Signal()

    /// Makes a consumer. It connects when ``run()`` is called.
    ///
    /// - Parameters:
    ///   - address: the broker. Evaluated for each connection, so that a new password is used.
    ///   - name: the connection's name, as the broker shows it.
    ///   - subscriptions: the queues and their handlers.
    ///   - log: receives an entry for each connection that is made or lost, and for each queue that cannot be consumed.
    package init(
        address: @autoclosure @escaping @Sendable () throws -> BrokerAddress, name: String,
        subscriptions: [Subscription], log: Logger
    ) {
        slots = subscriptions.map { Slot(subscription: $0) }
        self.log = log
        reconnectLoop = ReconnectLoop(address: address, name: name, log: log)
    }

    /// Connects and consumes, and reconnects, until ``close()`` is called or the task is cancelled.
    ///
    /// Returns at once if it is already running or the consumer has been closed.
    package func run() async {
        let sources = slots.map(\.subscription.source)
        await reconnectLoop.run { connection throws(AMQPError) in
            try Self.subscribeToReplies(connection, sources)
        } attach: { (handle, consumers) throws(AMQPError) in
            try attach(handle, consumers)
        }
        if reconnectLoop.isStopped { state = .closed }
    }

    /// Opens the channels of replies and starts their consumers. A connection without its replies would be useless, so
    /// an error ends the attempt to connect.
    private nonisolated static func subscribeToReplies(
        _ connection: BlockingConnection, _ sources: [Subscription.Source]
    ) throws(AMQPError) -> [ConsumerChannel.StartedConsumer?] {
        var consumers: [ConsumerChannel.StartedConsumer?] = []
        for (index, source) in sources.enumerated() {
            guard case .replies(let exchange, let key) = source else {
                consumers.append(nil)
                continue
            }
            let channel = UInt16(index + 1)
            try connection.openChannel(channel)
            let queue = try connection.declareReplyQueue(exchange: exchange, key: key, channel: channel)
            let tag = try connection.consumeReplies(queue, channel: channel)
            consumers.append(ConsumerChannel.StartedConsumer(queue: queue, tag: tag))
        }
        return consumers
    }

    private func attach(
        _ handle: AMQPHandle, _ consumers: [ConsumerChannel.StartedConsumer?]
    ) throws(AMQPError) -> AMQPConnection {
        let connection = try AMQPConnection(handle, delegate: self)
        self.connection = connection
        for (index, consumer) in consumers.enumerated() {
            if let consumer {
                let channel = ConsumerChannel(
                    number: UInt16(index + 1), subscription: slots[index].subscription, consumer: consumer,
                    connection: connection)
                channel.stateChanged = { [weak self] in self?.channelChanged(index) }
                slots[index].channel = channel
            } else {
                openChannel(index)
            }
        }
        connection.start()
        channelChanged()
        return connection
    }

    private func openChannel(_ index: Int) {
        guard let connection, connection.isOpen else { return }
        let channel = ConsumerChannel(
            number: UInt16(index + 1), subscription: slots[index].subscription, queue: slots[index].queue,
            target: target, connection: connection)
        channel.stateChanged = { [weak self] in self?.channelChanged(index) }
        slots[index].channel = channel
    }

    // MARK: Pausing and stopping

    /// Sets the priority of the consumers of all queues. The broker delivers to a consumer with a lower priority only
    /// while every consumer with a higher priority has a full prefetch. Each consumer is started again, and the
    /// deliveries that are open then do not count towards its prefetch.
    package func setPriority(_ priority: Int32) {
        guard target.priority != priority else { return }
        target.priority = priority
        for slot in slots { slot.channel?.setTarget(target) }
    }

    /// Stops the consumers of all queues until ``resume()``, and waits at most 5 s for the broker's confirmation. After
    /// it, no further deliveries arrive. Open deliveries can be settled.
    package func pause() async {
        target.consumes = false
        for slot in slots { slot.channel?.setTarget(target) }
        await waitUntilIdle()
    }

    /// Waits until no queue has an active consumer, or the connection ends, at most 5 s.
    private func waitUntilIdle() async {
        let idle = allIdle ?? Signal()
        allIdle = idle
        channelChanged()
        _ = await idle.waitThroughCancellation(within: .seconds(5))
        allIdle = nil
    }

    /// Starts the consumers again after ``pause()``.
    package func resume() {
        guard state == .connecting || state == .consuming else { return }
        target.consumes = true
        for slot in slots { slot.channel?.setTarget(target) }
    }

    /// Cancels all subscriptions and waits for the broker's confirmation, at most 5 s. Handlers still receive the
    /// messages that were delivered before.
    ///
    /// The connection stays open, so that open deliveries can be settled. A lost connection is not replaced.
    package func stopConsuming() async {
        guard state != .closed else { return }
        reconnectLoop.reconnects = false
        state = .stopped
        target.consumes = false
        guard let connection, connection.isOpen else { return }
        for slot in slots { slot.channel?.cancel() }
        await waitUntilIdle()
    }

    /// Sends the outstanding acknowledgements, waits at most 2 s for the broker's confirmation that it has received
    /// them, and closes the connection.
    package func close() async {
        state = .closed
        await reconnectLoop.stop()
    }

    /// Waits until all subscriptions are active, except those of ``unavailableQueues``.
    ///
    /// - Returns: `false` if the time limit passes, the consumer is stopped or the task is cancelled first.
    package func waitUntilConsuming(within limit: Duration) async -> Bool {
        if state == .connecting { _ = await leftConnecting.wait(within: limit) }
        return state == .consuming
    }

    private func stateChanged() {
        if state != .connecting {
            leftConnecting.fire()
        } else if leftConnecting.isFired {
            leftConnecting = Signal()
        }
    }

    // MARK: Channels

    private func channelChanged(_ index: Int) {
        if slots[index].channel?.isConsuming == true, slots[index].isUnavailable {
            slots[index].isUnavailable = false
            log.notice("the queue is consumed again", metadata: ["queue": "\(slots[index].queue)"])
        }
        if slots[index].channel?.isConsuming == true { slots[index].backoff.reset() }
        channelChanged()
    }

    private func channelChanged() {
        let isActive = slots.contains { $0.channel?.isConsuming == true }
        if state == .connecting, isActive,
            slots.allSatisfy({ $0.isUnavailable || $0.channel?.isConsuming == true })
        {
            state = .consuming
        }
        if slots.allSatisfy({ $0.channel?.isActive != true }) { allIdle?.fire() }
    }

    /// Records that a queue cannot be consumed, and tries again after a delay.
    private func channelFailed(_ index: Int, _ reason: String) {
        // Only the first line is a warning, because the next attempts usually fail for the same reason.
        let level: Logger.Level = slots[index].isUnavailable ? .debug : .warning
        let delay = slots[index].backoff.next()
        slots[index].isUnavailable = true
        log.log(
            level: level, "the queue cannot be consumed",
            metadata: ["queue": "\(slots[index].queue)", "reason": "\(reason)", "retry-in": "\(delay)"])
        if state == .consuming, !slots.contains(where: { $0.channel?.isConsuming == true }) { state = .connecting }
        slots[index].timer?.cancel()
        slots[index].timer = Loop.schedule(after: delay) { [weak self] in
            guard let self, self.state != .stopped, self.state != .closed else { return }
            if let channel = self.slots[index].channel, channel.isOpen {
                channel.recover()
            } else {
                self.openChannel(index)
            }
        }
        channelChanged()
    }
}

extension Consumer: AMQPConnectionDelegate {
    private func index(of number: UInt16) -> Int? {
        let index = Int(number) - 1
        return slots.indices.contains(index) && slots[index].channel != nil ? index : nil
    }

    func received(_ method: IncomingMethod, on number: UInt16) {
        guard let index = index(of: number), let channel = slots[index].channel else { return }
        channel.receive(method)
        if case .cancelled = method {
            if channel.acknowledges {
                channelFailed(index, "the broker cancelled the consumer")
            } else {
                connection?.fail(.consumerCancelled, "the broker cancelled the consumer of the replies")
            }
        }
    }

    func channelClosed(_ error: AMQPError, on number: UInt16) -> Bool {
        guard let index = index(of: number), let channel = slots[index].channel, channel.acknowledges else {
            return false
        }
        channel.end()
        channelFailed(index, error.message)
        return true
    }

    func receivedHeader(_ properties: Properties, bodySize: UInt64, on number: UInt16) {
        index(of: number).flatMap { slots[$0].channel }?.receiveHeader(properties, bodySize: bodySize)
    }

    func receivedBody(_ bytes: UnsafeRawBufferPointer, on number: UInt16) {
        index(of: number).flatMap { slots[$0].channel }?.receiveBody(bytes)
    }

    func turnWillEnd() {
        for slot in slots { slot.channel?.flushAcks() }
    }

    func connectionEnded(_ error: AMQPError?) {
        connection = nil
        for index in slots.indices {
            slots[index].channel?.end()
            slots[index].channel = nil
            slots[index].timer?.cancel()
        }
        allIdle?.fire()
        if state == .consuming { state = .connecting }
    }
}
