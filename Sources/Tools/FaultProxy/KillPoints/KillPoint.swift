/// A moment in the handling of a command at which a worker can be killed.
package enum KillPoint: String, Sendable, CaseIterable {
    /// The worker has received the command.
    case delivered
    /// PostgreSQL has executed all statements of the command's transaction, and has not received its COMMIT.
    case transactionOpen = "transaction open"
    /// PostgreSQL has committed the transaction, and the worker does not know it.
    case committed
    /// A command was committed, and the broker has confirmed an event that the worker published afterwards. The worker
    /// has not received the confirm.
    case eventPublished = "event published"
    /// The worker has published the reply to the command. The broker does not have the acknowledgement of the delivery.
    case replied = "replied, not acknowledged"
}
