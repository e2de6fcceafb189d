/// Why a message was not published, or is not known to be.
package enum PublishError: Error, Sendable, Equatable {
    /// There is no connection, the broker blocks publishers, or too much is under way: nothing was sent.
    case unavailable
    /// The message was mandatory and no queue took it; the broker's reply code and text (basic.return).
    case returned(code: UInt16, text: String)
    /// The broker took no responsibility (basic.nack), as for a queue at its limit with overflow `reject-publish`.
    case refused
    /// The connection went, or the wait was given up, before the broker's confirm: it may or may not be in its queues.
    case outcomeUnknown
    /// The body, a text or the headers exceed what the connection can carry: nothing was sent.
    case tooLarge
}
