/// The outcome of a request, as its sender sees it.
package enum RequestOutcome: Sendable {
    /// A worker replied.
    case reply(Reply)
    /// The request was not published. For a query, this can also mean that it is unknown whether the query was
    /// published. The text is the reason, for example that the broker cannot be reached or is in alarm, that the queue
    /// is full, or that no queue is bound for the message type.
    case unavailable(String)
    /// The request was not published, because its client already occupies its share of the queue (see ``QueueShares``).
    case shareExceeded
    /// The broker has stored the command, and a worker will carry it out. No reply arrived before the deadline, or the
    /// sender did not wait for one.
    case accepted
    /// No reply to the request arrived before the deadline. The request was not a command (see `MessageKind`).
    case deadlineExceeded
    /// It is unknown whether the broker has the command or the credential.
    case outcomeUnknown
}
