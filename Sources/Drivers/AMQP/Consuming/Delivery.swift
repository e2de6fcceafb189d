package import Reactor

/// A message that was delivered, to be settled once: by ``ack()`` or ``reject(requeue:)``.
@Loop package final class Delivery {
    /// The queue it came from; for replies the name that the broker gave theirs.
    package let queue: String
    /// The exchange it was published to.
    package let exchange: String
    /// The routing key it was published with.
    package let routingKey: String
    /// Whether it may have been delivered before.
    package let isRedelivered: Bool
    /// Its properties.
    package let properties: Properties
    /// Its body.
    package let body: [UInt8]

    private let tag: UInt64
    private var channel: ConsumerChannel?

    init(_ envelope: ConsumerChannel.Envelope, properties: Properties, body: [UInt8], channel: ConsumerChannel) {
        queue = channel.queue
        exchange = envelope.exchange
        routingKey = envelope.routingKey
        isRedelivered = envelope.isRedelivered
        self.properties = properties
        self.body = body
        tag = envelope.tag
        self.channel = channel.acknowledges ? channel : nil
    }

    /// Whether it can be settled yet: it is not settled, and the connection that it came on is there.
    package var isOpen: Bool { channel?.isOpen ?? false }

    /// Tells the broker, at the end of the loop's turn, that the message is done with.
    ///
    /// - Returns: whether it will be told: false for a delivery that is settled already, needs no settling, or
    ///   whose connection has gone, when the broker delivers the message again.
    @discardableResult package func ack() -> Bool {
        defer { channel = nil }
        return channel?.ack(tag) ?? false
    }

    /// Gives the message back to the broker.
    ///
    /// - Parameter requeue: whether into its queue, or to where its queue dead-letters to, if anywhere.
    /// - Returns: as ``ack()`` does.
    @discardableResult package func reject(requeue: Bool) -> Bool {
        defer { channel = nil }
        return channel?.reject(tag, requeue: requeue) ?? false
    }
}
