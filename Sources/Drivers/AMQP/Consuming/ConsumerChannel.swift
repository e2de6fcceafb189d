internal import Reactor

/// The channel of one subscription on one connection.
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

    let number: UInt16
    let queue: String
    let consumerTag: String
    let acknowledges: Bool
    /// Whether the broker may still send deliveries. `false` once it has confirmed basic.cancel.
    var isConsuming = true

    private let handler: Subscription.Handler
    private weak var connection: AMQPConnection?
    private var acks = AckTracker()
    private var assembly = MessageAssembly<DeliveryEnvelope>()
    private var exchanges = LastStringCache()
    private var routingKeys = LastStringCache()

    init(number: UInt16, consumer: StartedConsumer, subscription: Subscription, connection: AMQPConnection) {
        self.number = number
        queue = consumer.queue
        consumerTag = consumer.tag
        if case .queue = subscription.source { acknowledges = true } else { acknowledges = false }
        handler = subscription.handler
        self.connection = connection
    }

    /// The number of deliveries that are not settled.
    var openCount: Int { acks.openCount }

    /// Whether deliveries can still be settled.
    var isOpen: Bool { connection?.isOpen ?? false }

    // MARK: Settling

    func ack(_ tag: UInt64) -> Bool {
        guard let connection, connection.isOpen else { return false }
        return acks.settle(tag)
    }

    func reject(_ tag: UInt64, requeue: Bool) -> Bool {
        guard let connection, connection.isOpen, acks.remove(tag) else { return false }
        connection.output.appendReject(tag, requeue: requeue, channel: number)
        return true
    }

    /// Appends the acknowledgements that are due to the connection's output.
    func flushAcks() {
        guard acks.isDirty, let connection, connection.isOpen else { return }
        acks.flush { connection.output.appendAck($0.tag, multiple: $0.multiple, channel: number) }
    }

    // MARK: Receiving

    func receiveDeliver(
        tag: UInt64, isRedelivered: Bool, exchange: UnsafeRawBufferPointer, routingKey: UnsafeRawBufferPointer
    ) {
        let envelope = DeliveryEnvelope(
            tag: tag, isRedelivered: isRedelivered, exchange: exchanges.string(of: exchange),
            routingKey: routingKeys.string(of: routingKey))
        if !assembly.begin(envelope) { connection?.fail(.malformed, "basic.deliver inside another message") }
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
            handler(Delivery(message.envelope, properties: message.properties, body: message.body, channel: self))
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
