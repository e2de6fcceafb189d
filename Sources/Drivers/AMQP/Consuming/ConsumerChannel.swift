internal import Reactor

/// The channel of one subscription on one connection: opens the channel, starts and stops the consumer on it, and
/// passes the deliveries on.
///
/// The broker closes a channel when a request on it fails, for example because the queue does not exist. A closed
/// channel is not used again; the consumer opens another one in its place.
@Loop final class ConsumerChannel {
    /// The arguments of basic.deliver.
    struct DeliveryEnvelope {
        let tag: UInt64
        let isRedelivered: Bool
        let exchange: String
        let routingKey: String
    }

    /// A consumer that the broker has started (basic.consume-ok).
    struct StartedConsumer: Sendable {
        let queue: String
        let tag: String
    }

    /// What the owner wants the broker to do.
    struct Target: Equatable {
        /// Whether the broker is to deliver messages.
        var consumes = true
        /// The consumer's priority (`x-priority`). The broker delivers to consumers with a lower priority only while
        /// all others have as many deliveries as their prefetch allows.
        var priority: Int32 = 0
    }

    private enum State: Equatable {
        /// channel.open was sent.
        case opening
        /// basic.qos was sent.
        case settingPrefetch
        /// No consumer is active.
        case idle
        /// basic.consume was sent.
        case starting(Target)
        case consuming(tag: String, Target)
        /// basic.cancel was sent.
        case stopping
        /// The broker has cancelled the consumer, for example because the queue was deleted. The channel is still open.
        case cancelled
        /// The channel or its connection has ended.
        case ended
    }

    let number: UInt16
    let queue: String
    let acknowledges: Bool
    /// Called when the channel becomes idle or begins to consume.
    var stateChanged: (@Loop () -> Void)?

    private let subscription: Subscription
    private weak var connection: AMQPConnection?
    private var state: State
    private var target: Target
    private var acks = AckTracker()
    private var assembly = MessageAssembly<DeliveryEnvelope>()
    private var exchanges = LastStringCache()
    private var routingKeys = LastStringCache()

    /// Opens a channel.
    init(number: UInt16, subscription: Subscription, queue: String, target: Target, connection: AMQPConnection) {
        self.number = number
        self.queue = queue
        self.subscription = subscription
        self.target = target
        self.connection = connection
        acknowledges = true
        state = .opening
        connection.output.appendChannelOpen(channel: number)
    }

    /// Takes over an open channel on which the broker has started a consumer.
    init(number: UInt16, subscription: Subscription, consumer: StartedConsumer, connection: AMQPConnection) {
        self.number = number
        self.subscription = subscription
        self.connection = connection
        queue = consumer.queue
        target = Target()
        acknowledges = subscription.acknowledges
        state = .consuming(tag: consumer.tag, target)
    }

    /// The number of deliveries that are not settled.
    var openCount: Int { state == .ended ? 0 : acks.openCount }

    /// Whether deliveries can still be settled.
    var isOpen: Bool { state != .ended && connection?.isOpen ?? false }

    var isConsuming: Bool { if case .consuming = state { true } else { false } }

    /// Whether a consumer is active, or a request on the channel is not answered yet.
    var isActive: Bool {
        switch state {
        case .idle, .cancelled, .ended: false
        case .opening, .settingPrefetch, .starting, .consuming, .stopping: true
        }
    }

    // MARK: Starting and stopping

    /// Makes the broker start, stop or restart the consumer. Does nothing on a channel of replies.
    func setTarget(_ target: Target) {
        guard acknowledges else { return }
        self.target = target
        approachTarget()
    }

    /// Cancels the consumer, also on a channel of replies.
    func cancel() {
        target.consumes = false
        approachTarget()
    }

    /// Takes the next step towards the target, unless the broker has not answered the last step yet.
    private func approachTarget() {
        guard let connection, connection.isOpen else { return }
        switch state {
        case .idle where target.consumes:
            state = .starting(target)
            guard
                connection.output.appendConsume(
                    queue, isExclusive: subscription.isExclusive, priority: target.priority, channel: number)
            else { return connection.fail(.malformed, "the name of a queue is longer than 255 bytes") }
        case .consuming(let tag, let current) where current != target:
            state = .stopping
            connection.output.appendCancel(consumerTag: tag, channel: number)
        default: break
        }
    }

    private func enter(_ state: State) {
        self.state = state
        approachTarget()
        stateChanged?()
    }

    /// Starts the consumer again after the broker has cancelled it.
    func recover() {
        if state == .cancelled { enter(.idle) }
    }

    /// Records that the channel or the connection has ended.
    func end() {
        state = .ended
    }

    // MARK: Settling

    func ack(_ tag: UInt64) -> Bool {
        guard isOpen else { return false }
        return acks.settle(tag)
    }

    func reject(_ tag: UInt64, requeue: Bool) -> Bool {
        guard isOpen, let connection, acks.remove(tag) else { return false }
        connection.output.appendReject(tag, requeue: requeue, channel: number)
        return true
    }

    /// Appends the acknowledgements that are due to the connection's output.
    func flushAcks() {
        guard acks.isDirty, isOpen, let connection else { return }
        acks.flush { connection.output.appendAck($0.tag, multiple: $0.multiple, channel: number) }
    }

    // MARK: Receiving

    /// Handles the broker's answer to a request on this channel, or a delivery.
    func receive(_ method: IncomingMethod) {
        switch (method, state) {
        case (.deliver(let tag, let isRedelivered, let exchange, let routingKey), _):
            begin(tag, isRedelivered, exchange, routingKey)
        case (.channelOpenOK, .opening):
            state = .settingPrefetch
            connection?.output.appendPrefetch(subscription.prefetch, channel: number)
        case (.qosOK, .settingPrefetch):
            enter(.idle)
        case (.consumeOK(let tag), .starting(let target)):
            enter(.consuming(tag: tag, target))
        case (.cancelOK, .stopping):
            enter(.idle)
        // The broker can cancel the consumer while basic.cancel is on its way.
        case (.cancelled, .consuming), (.cancelled, .stopping):
            state = .cancelled
        // A method that is not expected is ignored, such as an answer to a request that was not sent.
        default: break
        }
    }

    private func begin(
        _ tag: UInt64, _ isRedelivered: Bool, _ exchange: UnsafeRawBufferPointer, _ routingKey: UnsafeRawBufferPointer
    ) {
        let envelope = DeliveryEnvelope(
            tag: tag, isRedelivered: isRedelivered, exchange: exchanges.string(of: exchange),
            routingKey: routingKeys.string(of: routingKey))
        if !assembly.begin(envelope) { connection?.fail(.malformed, "a delivery inside another message") }
    }

    func receiveHeader(_ properties: Properties, bodySize: UInt64) {
        process(assembly.header(properties, bodySize: bodySize))
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer) {
        process(assembly.body(bytes))
    }

    private func process(_ step: MessageAssembly<DeliveryEnvelope>.Step) {
        switch step {
        case .incomplete: break
        case .malformed(let reason): connection?.fail(.malformed, reason)
        case .complete(let message):
            if acknowledges, !acks.deliver(message.envelope.tag) {
                connection?.fail(.malformed, "delivery tag out of order")
                return
            }
            subscription.handler(
                Delivery(message.envelope, properties: message.properties, body: message.body, channel: self))
        }
    }
}

/// Makes strings from bytes, and reuses the previous string if the bytes are equal. This saves allocations, because
/// consecutive deliveries mostly have the same exchange and routing key.
struct LastStringCache {
    private var last = ""

    mutating func string(of bytes: UnsafeRawBufferPointer) -> String {
        let isSame = last.utf8.withContiguousStorageIfAvailable { $0.elementsEqual(bytes) } ?? false
        if !isSame { last = String(decoding: bytes, as: UTF8.self) }
        return last
    }
}
