/// The exchanges of the virtual host `warren`.
package enum Exchange {
    /// Commands and queries; the routing key is the message type.
    package static let commands = "warren.commands"
    /// Domain events; the routing key is the event type.
    package static let events = "warren.events"
    /// Replies; the routing key is the `reply_to` of the request.
    package static let replies = "warren.replies"
    /// Failed deliveries on their way to a delay queue; the routing key is `DELAY.QUEUE`.
    package static let retry = "warren.retry"
    /// Deliveries on their way back; the routing key is `ANY.QUEUE`.
    package static let requeue = "warren.requeue"
    /// Deliveries given up; the routing key is the queue that they came from.
    package static let dead = "warren.dead"
}

/// The virtual host in which all of it lives.
package enum VirtualHost {
    package static let name = "warren"
}
