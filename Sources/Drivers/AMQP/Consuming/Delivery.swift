package import Reactor

/// A delivered message. Settle it once, with ``ack()`` or ``reject(requeue:)``.
@Loop package final class Delivery {
    /// The name of the queue that the message was delivered from. For a subscription made with
    /// ``Subscription/replies(exchange:key:handler:)``, the broker chose this name.
    package let queue: String
    /// The exchange that the message was published to.
    package let exchange: String
    /// The routing key that the message was published with.
    package let routingKey: String
    /// Whether the message may have been delivered before.
    package let isRedelivered: Bool
    /// How often the message was delivered before, as a quorum queue counts it in the header `x-delivery-count`; 0 if
    /// the header is missing.
    package var deliveryCount: Int { properties.headers["x-delivery-count"]?.int64.map { Int(clamping: $0) } ?? 0 }
    /// The properties of the message.
    package let properties: Properties
    /// The body of the message.
    package let body: [UInt8]

    private let tag: UInt64
    private var channel: ConsumerChannel?

    init(
        _ envelope: ConsumerChannel.DeliveryEnvelope, properties: Properties, body: [UInt8], channel: ConsumerChannel
    ) {
        queue = channel.queue
        exchange = envelope.exchange
        routingKey = envelope.routingKey
        isRedelivered = envelope.isRedelivered
        self.properties = properties
        self.body = body
        tag = envelope.tag
        self.channel = channel.acknowledges ? channel : nil
    }

    /// Whether the delivery can be settled: it is not settled yet, its connection is open, and its subscription was not
    /// made with ``Subscription/replies(exchange:key:handler:)``.
    package var isOpen: Bool { channel?.isOpen ?? false }

    /// Acknowledges the message. The acknowledgement is sent at the end of the loop's turn.
    ///
    /// - Returns: `false` if the delivery is already settled, if its subscription was made with
    ///   ``Subscription/replies(exchange:key:handler:)``, or if its connection is lost. In the last case the broker
    ///   redelivers the message.
    @discardableResult package func ack() -> Bool {
        defer { channel = nil }
        return channel?.ack(tag) ?? false
    }

    /// Rejects the message (basic.reject).
    ///
    /// - Parameter requeue: whether the message goes back to its queue; otherwise it is dead-lettered or dropped.
    /// - Returns: `false` in the same cases as ``ack()``.
    @discardableResult package func reject(requeue: Bool) -> Bool {
        defer { channel = nil }
        return channel?.reject(tag, requeue: requeue) ?? false
    }
}
