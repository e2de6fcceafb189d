/// What became of a request, as far as its sender can know.
package enum RequestOutcome: Sendable {
    /// It was answered.
    case reply(Reply)
    /// It was not taken: the broker is away or in alarm, the queue is full, or nobody is there to take it.
    case unavailable(String)
    /// A command that is on disk and will be carried out; no worker has answered in time.
    case accepted
    /// Nobody answered in time, and nobody will.
    case deadlineExceeded
    /// A command that may or may not have reached its queue.
    case outcomeUnknown
}
