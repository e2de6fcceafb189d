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

    /// The id of what this message brings into being: the same at every delivery.
    package var newID: UUID {
        guard let id = message.id else { return UUID.v7() }
        return UUID.v7(deterministicFrom: id, at: message.sentAt ?? .now())
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

    /// Publishes an event if and only if the transaction commits.
    package func emit<Data: DomainEvent>(_ data: Data) {
        let event = CloudEvent(data: data)
        work.emit(Outbox.Event(id: event.id, type: Data.type, body: event.jsonBytes()))
    }
}
