/// The exchanges of the virtual host. `queues/definitions.json` declares them.
package enum Exchange {
    /// Commands, queries and credentials; the routing key is the message type.
    package static let commands = "warren.commands"
    /// Domain events; the routing key is the event type.
    package static let events = "warren.events"
    /// Replies; the routing key is the `reply_to` of the request.
    package static let replies = "warren.replies"
    /// Failed deliveries. The exchange routes each to a delay queue; the routing key is `DELAY.QUEUE`, for example
    /// `1s.post.commands`.
    package static let retry = "warren.retry"
    /// Deliveries whose delay has passed, and dead letters that an operator replays. The exchange routes each to its
    /// queue; the routing key is `WORD.QUEUE`, for example `1s.post.commands`.
    package static let requeue = "warren.requeue"
    /// Dead letters; the routing key is the name of the queue that they come from.
    package static let dead = "warren.dead"
}

/// The virtual host that contains all exchanges and queues.
package enum VirtualHost {
    package static let name = "warren"
}
