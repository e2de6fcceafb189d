/// The limit of a queue. The broker refuses further messages when the queue has reached it.
package enum QueueLimit: Sendable, Hashable {
    /// The maximum number of messages.
    case messages(Int)
    /// The maximum number of bytes of the messages' bodies.
    case bytes(Int)
}

extension QueueLimit {
    /// Returns the limit of a queue that receives requests. `queues/definitions.json` sets the same limit at the
    /// broker.
    package static func of(_ queue: String) -> QueueLimit {
        switch queue {
        case Queue.mediaUploads: .bytes(1 << 30)
        case Queue.postCommands, Queue.mediaCommands: .messages(100_000)
        default: .messages(10_000)
        }
    }
}
