internal import AMQP
internal import Contracts
internal import Reactor

extension Delivery {
    /// Whether the sender was allowed to send a message of this type.
    ///
    /// The broker checks whether the sender may publish to an exchange with a routing key. The handler, however, is
    /// selected by the message's type. Therefore the exchange and the routing key must match the type.
    ///
    /// A delivery from `warren.requeue` was published there by the operator, or to `warren.retry` by a worker. Its
    /// routing key must name this queue. The broker lets the worker of a service use only the keys of the queues of its
    /// own service, but it does not check the keys in a CC or BCC header, by which a worker can reach every queue.
    ///
    /// A user that may declare exchanges or queues could evade the broker's check in two ways. Both are refused:
    /// - It binds `warren.commands` to an exchange of its own and publishes to that exchange. The delivery then has the
    ///   name of that exchange.
    /// - It declares a queue that dead-letters into `warren.commands`. The delivery then has an `x-death` header.
    func hasRoute(of type: String, _ kind: Handler.Kind) -> Bool {
        if exchange == Exchange.requeue { return isReturned }
        return exchange == (kind == .event ? Exchange.events : Exchange.commands) && routingKey == type
            && !hasUnexpectedDeathHeader
    }

    /// Whether a delivery from `warren.requeue` has a routing key for its queue, such as `1s.post.commands`.
    private var isReturned: Bool {
        guard let dot = routingKey.firstIndex(of: ".") else { return false }
        return routingKey[routingKey.index(after: dot)...] == queue
    }

    /// Whether a delivery has an `x-death` header although no worker or operator sent it back to its queue.
    ///
    /// The broker writes this header when it dead-letters a message, but a sender can also set it. If RabbitMQ 3.10
    /// finds an `x-death` header that it did not write, it stops dead-lettering for the whole queue. The worker cannot
    /// determine who wrote the header, so it must not dead-letter such a delivery.
    var hasUnexpectedDeathHeader: Bool {
        exchange != Exchange.requeue && properties.headers["x-death"] != nil
    }

    /// How often the message was delivered before. Workers count the deliveries before a delay in a header.
    var totalDeliveryCount: Int {
        let counted = isRedelivered ? deliveryCount : 0
        let earlier = exchange == Exchange.requeue ? properties.headers[Header.deliveries]?.int64 : nil
        // The header is foreign input.
        return counted + Int(min(max(0, earlier ?? 0), 1_000))
    }
}
