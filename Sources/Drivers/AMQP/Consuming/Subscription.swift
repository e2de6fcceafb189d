internal import Reactor

/// What a consumer receives, and who handles it.
package struct Subscription: Sendable {
    /// Is handed each delivery, on the loop.
    package typealias Handler = @Loop (Delivery) -> Void

    enum Source: Sendable {
        case queue(name: String, prefetch: UInt16, isExclusive: Bool)
        case replies(exchange: String, key: String)
    }

    let source: Source
    let handler: Handler

    /// Consumes a queue; every delivery is to be settled.
    ///
    /// - Parameters:
    ///   - name: the queue, which exists.
    ///   - prefetch: how many unsettled deliveries the broker sends at most.
    ///   - isExclusive: whether nobody else may consume it meanwhile; where someone does, the broker refuses.
    ///   - handler: is handed each delivery.
    package static func queue(
        _ name: String, prefetch: UInt16, isExclusive: Bool = false, handler: @escaping Handler
    ) -> Subscription {
        Subscription(source: .queue(name: name, prefetch: prefetch, isExclusive: isExclusive), handler: handler)
    }

    /// Receives replies in an exclusive queue that is declared on the connection and bound to an exchange.
    ///
    /// The queue goes with its connection; the next one gets a queue with the same binding. Its deliveries need not be
    /// settled.
    ///
    /// - Parameters:
    ///   - exchange: the exchange that replies are published to.
    ///   - key: the routing key of the replies, the `reply_to` of requests.
    ///   - handler: is handed each delivery.
    package static func replies(exchange: String, key: String, handler: @escaping Handler) -> Subscription {
        Subscription(source: .replies(exchange: exchange, key: key), handler: handler)
    }

    /// What to call it in logs.
    var label: String {
        switch source {
        case .queue(let name, _, _): name
        case .replies(let exchange, _): exchange
        }
    }
}
