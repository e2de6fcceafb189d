package import Contracts
package import FoundationEssentials
package import Logging
package import Postgres
package import Reactor

/// What a handler is given beside its message: who asks, the transaction, and the way to publish events.
@Loop package struct HandlerContext {
    /// The message as it came.
    package let message: IncomingMessage
    /// Logs with the request's id on every line.
    package let log: Logger
    let work: UnitOfWork

    init(message: IncomingMessage, log: Logger, work: UnitOfWork) {
        self.message = message
        self.log = log
        self.work = work
    }

    /// The account on whose behalf the message was sent.
    ///
    /// - Throws: ``Problem`` `unauthenticated` where there is none.
    package var caller: Caller {
        get throws(Problem) {
            guard let caller = message.caller else { throw Problem(.unauthenticated) }
            return caller
        }
    }

    /// The id of what this message brings into being: the same at every delivery, and no other message's.
    ///
    /// It tells when the message was made, by the message's own id or by its timestamp.
    package var newID: UUID {
        guard let id = message.id else { return UUID.v7() }
        let ids = [message.caller?.id, id].map { $0?.text ?? "" }
        return UUID.v7(
            hashing: Array("\(message.type) \(ids[0]) \(ids[1])".utf8), at: id.timestamp ?? message.sentAt ?? .now())
    }

    /// The transaction of this delivery; begun at its first use, committed by the kit.
    ///
    /// - Throws: `PostgresError` where no connection comes free in time.
    package func transaction() async throws(PostgresError) -> Transaction {
        try await work.transaction()
    }

    /// Ends the handling here where an earlier delivery was carried out; its reply is sent again.
    ///
    /// For a handler that does something outside the database before its transaction: the transaction alone would
    /// notice too late. Costs a round trip to the database.
    package func stopIfRepeated() async throws {
        try await work.stopIfRepeated()
    }

    /// Keeps what was written and emitted so far, whatever becomes of the rest.
    ///
    /// For an event that is about several things: those that are done stay done while the event is retried for the
    /// others. A command is carried out whole or not at all, and for it this does nothing.
    ///
    /// - Throws: `PostgresError`, as the commit does.
    package func checkpoint() async throws(PostgresError) {
        try await work.checkpoint()
    }

    /// Has a command refused, and not retried, where its transaction fails in a way that no retry can mend: for
    /// statements that travel with the commit, whose errors come to nobody else.
    ///
    /// - Parameters:
    ///   - code: what the caller is told, unless an earlier delivery was carried out.
    ///   - isMeant: tells such a failure.
    package func refuse(with code: ProblemCode, where isMeant: @escaping @Loop (PostgresError) -> Bool) {
        work.refusals.append(UnitOfWork.Refusal(code: code, isMeant: isMeant))
    }

    /// Publishes an event if and only if the transaction commits.
    package func emit<Data: DomainEvent>(_ data: Data) {
        let event = CloudEvent(data: data)
        work.emit(Outbox.Event(id: event.id, type: Data.type, body: event.jsonBytes()))
    }
}
