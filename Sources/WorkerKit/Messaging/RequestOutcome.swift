/// The end of a request from its sender's point of view.
package enum RequestOutcome: Sendable {
    /// A worker replied.
    case reply(Reply)
    /// The broker did not take the request, for this reason: it is away or in alarm, the queue is full, or no queue is
    /// bound.
    case unavailable(String)
    /// The command is on disk and will be carried out; no worker replied before the deadline.
    case accepted
    /// No worker replied before the deadline, and none will.
    case deadlineExceeded
    /// It is unknown whether the command reached its queue.
    case outcomeUnknown
}
