package import Logging
package import Reactor

/// Consumes on a connection of its own, which it makes anew for as long as it runs; each subscription has its channel.
///
/// Deliveries are handed over in the order they come. Acknowledgements are gathered and written at the end of the
/// loop's turn, as few as say the same.
@Loop package final class Consumer {
    /// What the consumer is doing.
    package enum State: Sendable, Equatable {
        /// There is no connection; one is being made, or will be.
        case connecting
        /// All its subscriptions are consumed.
        case consuming
        /// It has stopped consuming; deliveries in hand can be settled while the connection lasts.
        case stopped
        /// It was closed.
        case closed
    }

    /// What the consumer is doing.
    package private(set) var state = State.connecting {
        didSet { stateChanged() }
    }
    /// How many deliveries of the present connection are to be settled yet.
    package var inHand: Int { channels.reduce(0) { $0 + $1.openCount } }

    private let subscriptions: [Subscription]
    private let log: Logger
    private let life: Life
    private var connection: Connection?
    private var channels: [ConsumerChannel] = []
    private var cancelled: Signal?
    private var usable = Signal()

    /// Makes a consumer, which connects once it runs.
    ///
    /// - Parameters:
    ///   - address: the broker.
    ///   - name: what the broker shows as the connection's name.
    ///   - subscriptions: what it consumes.
    ///   - log: is told of connections made and lost.
    package init(address: BrokerAddress, name: String, subscriptions: [Subscription], log: Logger) {
        self.subscriptions = subscriptions
        self.log = log
        life = Life(address: address, name: name, log: log)
    }

    /// Connects and consumes, anew after each loss, until ``close()`` or until the task is cancelled.
    ///
    /// A second call, or one after the close, returns at once.
    package func run() async {
        let sources = subscriptions.map(\.source)
        await life.run { setUp throws(BrokerError) in
            try Self.subscribe(setUp, to: sources)
        } attach: { (handle, ready) throws(BrokerError) in
            try attach(handle, ready)
        }
        if life.isStopped { state = .closed }
    }

    /// Opens the channels first and consumes last, so that few deliveries come before the loop can take them.
    private nonisolated static func subscribe(
        _ setUp: SetUp, to sources: [Subscription.Source]
    ) throws(BrokerError) -> [ConsumerChannel.Ready] {
        var queues: [(name: String, acknowledges: Bool, isExclusive: Bool)] = []
        for (index, source) in sources.enumerated() {
            let channel = UInt16(index + 1)
            try setUp.openChannel(channel)
            switch source {
            case .queue(let name, let prefetch, let isExclusive):
                try setUp.setPrefetch(prefetch, channel: channel)
                queues.append((name, acknowledges: true, isExclusive))
            case .replies(let exchange, let key):
                let name = try setUp.declareReplyQueue(exchange: exchange, key: key, channel: channel)
                queues.append((name, acknowledges: false, isExclusive: true))
            }
        }
        var ready: [ConsumerChannel.Ready] = []
        for (index, queue) in queues.enumerated() {
            let tag = try setUp.consume(
                queue.name, acknowledges: queue.acknowledges, isExclusive: queue.isExclusive,
                channel: UInt16(index + 1))
            ready.append(ConsumerChannel.Ready(queue: queue.name, consumerTag: tag))
        }
        return ready
    }

    private func attach(_ handle: Handle, _ ready: [ConsumerChannel.Ready]) throws(BrokerError) -> Connection {
        let connection = try Connection(handle, owner: self)
        self.connection = connection
        channels = zip(subscriptions, ready).enumerated().map { index, pair in
            ConsumerChannel(
                number: UInt16(index + 1), ready: pair.1, subscription: pair.0, connection: connection)
        }
        if state == .connecting { state = .consuming }
        connection.start()
        return connection
    }

    /// Has the broker deliver nothing more, and waits until it has said so; what was delivered before is handed over.
    ///
    /// The connection stays, for the deliveries in hand to be settled; one that is lost is not made anew.
    package func stopConsuming() async {
        guard state != .closed else { return }
        life.isParked = true
        state = .stopped
        if cancelled == nil { cancelAll() }
        _ = await cancelled?.waitThroughCancellation(within: .seconds(5))
    }

    private func cancelAll() {
        guard let connection, connection.isOpen else { return }
        cancelled = Signal()
        for channel in channels {
            connection.output.appendCancel(consumerTag: channel.consumerTag, channel: channel.number)
        }
        if channels.isEmpty { cancelled?.fire() }
    }

    /// Sends the acknowledgements that are due, waits for the broker to have them, and closes.
    package func close() async {
        state = .closed
        await life.stop()
    }

    /// Waits until the subscriptions are consumed.
    ///
    /// - Returns: whether they are; false once the limit has passed, the consumer is stopped or the task cancelled.
    package func waitUntilConsuming(within limit: Duration) async -> Bool {
        if state == .connecting { _ = await usable.wait(within: limit) }
        return state == .consuming
    }

    private func stateChanged() {
        if state != .connecting {
            usable.fire()
        } else if usable.isFired {
            usable = Signal()
        }
    }
}

extension Consumer: ConnectionOwner {
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
            if !channels.contains(where: \.isConsuming) { cancelled?.fire() }
        case .cancelled:
            log.warning("broker cancelled the consumer", metadata: ["queue": "\(channel.queue)"])
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

    func turnEnds() {
        for channel in channels { channel.flushAcks() }
    }

    func ended(_ error: BrokerError?) {
        connection = nil
        channels = []
        cancelled?.fire()
        if state == .consuming { state = .connecting }
    }
}
