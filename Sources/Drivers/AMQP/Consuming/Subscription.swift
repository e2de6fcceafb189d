internal import Reactor

/// A queue to consume, and the handler of its deliveries.
package struct Subscription: Sendable {
    /// Called on the loop for each delivery.
    package typealias Handler = @Loop (Delivery) -> Void

    enum Source: Sendable {
        case queue(name: String, prefetch: UInt16, isExclusive: Bool)
        case replies(exchange: String, key: String)
    }

    /// Whether deliveries must be settled.
    var acknowledges: Bool { if case .queue = source { true } else { false } }
    /// The maximum number of unsettled deliveries; 0 without a limit.
    var prefetch: UInt16 { if case .queue(_, let prefetch, _) = source { prefetch } else { 0 } }
    var isExclusive: Bool { if case .queue(_, _, let isExclusive) = source { isExclusive } else { true } }

    let source: Source
    let handler: Handler

    /// Consumes an existing queue. The handler must settle each delivery.
    ///
    /// - Parameters:
    ///   - name: the name of the queue.
    ///   - prefetch: the maximum number of unsettled deliveries.
    ///   - isExclusive: whether the queue can have no other consumer. The broker refuses the subscription if the queue
    ///     already has a consumer.
    ///   - handler: called for each delivery.
    package static func queue(
        _ name: String, prefetch: UInt16, isExclusive: Bool = false, handler: @escaping Handler
    ) -> Subscription {
        Subscription(source: .queue(name: name, prefetch: prefetch, isExclusive: isExclusive), handler: handler)
    }

    /// Consumes replies from an exclusive queue that is declared on each connection and bound to an exchange.
    ///
    /// The broker deletes the queue when the connection ends. The next connection declares a queue with the same
    /// binding. Deliveries need not be settled.
    ///
    /// - Parameters:
    ///   - exchange: the exchange to which replies are published.
    ///   - key: the routing key of the replies. Requests have it as their property `reply_to`.
    ///   - handler: called for each delivery.
    package static func replies(exchange: String, key: String, handler: @escaping Handler) -> Subscription {
        Subscription(source: .replies(exchange: exchange, key: key), handler: handler)
    }
}
