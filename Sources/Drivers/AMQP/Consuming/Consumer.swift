package import Logging
package import Reactor

/// Consumes queues on a connection of its own, with one channel per subscription, and reconnects while it runs.
///
/// Handlers receive deliveries in the order in which they arrive. Acknowledgements are combined and sent at the end of
/// each turn of the loop.
@Loop package final class Consumer {
    /// The state of a consumer.
    package enum State: Sendable, Equatable {
        /// The consumer is not connected. While ``run()`` is active, the consumer tries to connect.
        case connecting
        /// All subscriptions are active.
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
    /// The number of deliveries on the current connection that are not settled.
    var openCount: Int { channels.reduce(0) { $0 + $1.openCount } }

    private let subscriptions: [Subscription]
    private let log: Logger
    private let reconnectLoop: ReconnectLoop
    private var connection: AMQPConnection?
    private var channels: [ConsumerChannel] = []
    /// Fires when the broker has confirmed basic.cancel on all channels, or when the connection has ended.
    private var allCancelled: Signal?
    /// Fires when the state is no longer ``State/connecting``. Replaced when the state becomes ``State/connecting``
    /// again.
    private var leftConnecting = Signal()

    /// Makes a consumer. It connects when ``run()`` is called.
    ///
    /// - Parameters:
    ///   - address: the broker.
    ///   - name: the connection's name, as the broker shows it.
    ///   - subscriptions: the queues and their handlers.
    ///   - log: receives an entry for each connection that is made or lost.
    package init(address: BrokerAddress, name: String, subscriptions: [Subscription], log: Logger) {
        self.subscriptions = subscriptions
        self.log = log
        reconnectLoop = ReconnectLoop(address: address, name: name, log: log)
    }

    /// Connects and consumes, and reconnects, until ``close()`` is called or the task is cancelled.
    ///
    /// Returns at once if it is already running or the consumer has been closed.
    package func run() async {
        let sources = subscriptions.map(\.source)
        await reconnectLoop.run { connection throws(AMQPError) in
            try Self.subscribe(connection, to: sources)
        } attach: { (handle, consumers) throws(AMQPError) in
            try attach(handle, consumers)
        }
        if reconnectLoop.isStopped { state = .closed }
    }

    /// Opens all channels before it starts the first consumer, so that few deliveries arrive before the loop takes
    /// over.
    private nonisolated static func subscribe(
        _ connection: BlockingConnection, to sources: [Subscription.Source]
    ) throws(AMQPError) -> [ConsumerChannel.StartedConsumer] {
        var queues: [(name: String, acknowledges: Bool, isExclusive: Bool)] = []
        for (index, source) in sources.enumerated() {
            let channel = UInt16(index + 1)
            try connection.openChannel(channel)
            switch source {
            case .queue(let name, let prefetch, let isExclusive):
                try connection.setPrefetch(prefetch, channel: channel)
                queues.append((name, acknowledges: true, isExclusive))
            case .replies(let exchange, let key):
                let name = try connection.declareReplyQueue(exchange: exchange, key: key, channel: channel)
                queues.append((name, acknowledges: false, isExclusive: true))
            }
        }
        var consumers: [ConsumerChannel.StartedConsumer] = []
        for (index, queue) in queues.enumerated() {
            let tag = try connection.consume(
                queue.name, acknowledges: queue.acknowledges, isExclusive: queue.isExclusive,
                channel: UInt16(index + 1))
            consumers.append(ConsumerChannel.StartedConsumer(queue: queue.name, tag: tag))
        }
        return consumers
    }

    private func attach(
        _ handle: AMQPHandle, _ consumers: [ConsumerChannel.StartedConsumer]
    ) throws(AMQPError) -> AMQPConnection {
        let connection = try AMQPConnection(handle, delegate: self)
        self.connection = connection
        channels = zip(subscriptions, consumers).enumerated().map { index, pair in
            ConsumerChannel(
                number: UInt16(index + 1), consumer: pair.1, subscription: pair.0, connection: connection)
        }
        if state == .connecting { state = .consuming }
        connection.start()
        return connection
    }

    /// Cancels all subscriptions and waits for the broker's confirmation, at most 5 s. Handlers still receive the
    /// messages that were delivered before.
    ///
    /// The connection stays open, so that open deliveries can be settled. A lost connection is not replaced.
    package func stopConsuming() async {
        guard state != .closed else { return }
        reconnectLoop.reconnects = false
        state = .stopped
        if allCancelled == nil { cancelAll() }
        _ = await allCancelled?.waitThroughCancellation(within: .seconds(5))
    }

    private func cancelAll() {
        guard let connection, connection.isOpen else { return }
        allCancelled = Signal()
        for channel in channels {
            connection.output.appendCancel(consumerTag: channel.consumerTag, channel: channel.number)
        }
        if channels.isEmpty { allCancelled?.fire() }
    }

    /// Sends the outstanding acknowledgements, waits at most 2 s for the broker's confirmation that it has received
    /// them, and closes the connection.
    package func close() async {
        state = .closed
        await reconnectLoop.stop()
    }

    /// Waits until all subscriptions are active.
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
}

extension Consumer: AMQPConnectionDelegate {
    private func channel(_ number: UInt16) -> ConsumerChannel? {
        let index = Int(number) - 1
        return channels.indices.contains(index) ? channels[index] : nil
    }

    func received(_ method: IncomingMethod, on number: UInt16) {
        guard let channel = channel(number) else { return }
        switch method {
        case .deliver(let tag, let isRedelivered, let exchange, let routingKey):
            channel.receiveDeliver(
                tag: tag, isRedelivered: isRedelivered, exchange: exchange, routingKey: routingKey)
        case .cancelOK:
            channel.isConsuming = false
            if !channels.contains(where: \.isConsuming) { allCancelled?.fire() }
        case .cancelled:
            log.warning("the broker cancelled the consumer", metadata: ["queue": "\(channel.queue)"])
            connection?.fail(.consumerCancelled, "the broker cancelled the consumer")
        default: break
        }
    }

    func receivedHeader(_ properties: Properties, bodySize: UInt64, on number: UInt16) {
        channel(number)?.receiveHeader(properties, bodySize: bodySize)
    }

    func receivedBody(_ bytes: UnsafeRawBufferPointer, on number: UInt16) {
        channel(number)?.receiveBody(bytes)
    }

    func turnWillEnd() {
        for channel in channels { channel.flushAcks() }
    }

    func connectionEnded(_ error: AMQPError?) {
        connection = nil
        channels = []
        allCancelled?.fire()
        if state == .consuming { state = .connecting }
    }
}
