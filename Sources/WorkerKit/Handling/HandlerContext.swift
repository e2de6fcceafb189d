package import Contracts
package import FoundationEssentials
package import Logging
package import Postgres
package import Reactor

/// A message's caller, transaction and outbox, as its handler uses them.
@Loop package struct HandlerContext {
    /// The message.
    package let message: IncomingMessage
    /// Adds the request id to every line.
    package let log: Logger
    let unit: UnitOfWork

    init(message: IncomingMessage, log: Logger, unit: UnitOfWork) {
        self.message = message
        self.log = log
        self.unit = unit
    }

    /// The account that the message is for.
    ///
    /// - Throws: ``Problem`` `unauthenticated` if there is none.
    package var caller: Caller {
        get throws(Problem) {
            guard let caller = message.caller else { throw Problem(.unauthenticated) }
            return caller
        }
    }

    /// The id of the entity that this message creates: the same at every delivery, and different for every message.
    ///
    /// Its time is that of the message's own id, or else the message's timestamp.
    package var newID: UUID {
        guard let id = message.id else { return UUID.v7() }
        let ids = [message.caller?.id, id].map { $0?.text ?? "" }
        return UUID.v7(
            hashing: Array("\(message.type) \(ids[0]) \(ids[1])".utf8), at: id.timestamp ?? message.sentAt ?? .now())
    }

    /// Returns the transaction of this delivery, which begins at its first use and is committed after the handler
    /// returns.
    ///
    /// - Throws: `PostgresError` if no connection becomes free in time.
    package func transaction() async throws(PostgresError) -> Transaction {
        try await unit.transaction()
    }

    /// Returns the reply if an earlier delivery has already carried out this command: return it from the handler, which
    /// then has no effect.
    ///
    /// For a handler with an effect outside the database, which the transaction's rollback cannot undo. Costs a round
    /// trip to the database.
    ///
    /// - Returns: the stored reply, or the refusal of an id that another command used; `nil` for a first delivery.
    /// - Throws: `PostgresError` if the inbox cannot be read.
    package func storedReply() async throws(PostgresError) -> Reply? {
        try await unit.storedReply(to: message)
    }

    /// Commits the statements and events so far, whether or not the rest of the handler succeeds.
    ///
    /// For an event that is about several entities: those that are done stay done while the event is retried for the
    /// others. Does nothing for a command, which is carried out completely or not at all.
    ///
    /// - Throws: `PostgresError` if the commit fails.
    package func checkpoint() async throws(PostgresError) {
        try await unit.checkpoint()
    }

    /// Refuses the command with a problem if its transaction fails with a certain error, which no retry can mend.
    ///
    /// For statements that travel with the commit: the handler has returned when they fail. A redelivery gets the
    /// stored reply instead.
    ///
    /// - Parameters:
    ///   - code: the problem that the caller gets.
    ///   - matches: recognizes the error.
    package func onCommitFailure(
        refuseWith code: ProblemCode, if matches: @escaping @Loop (PostgresError) -> Bool
    ) {
        unit.onCommitFailure(refuseWith: code, if: matches)
    }

    /// Publishes an event if and only if the transaction commits.
    package func emit<Data: DomainEvent>(_ data: Data) {
        let event = CloudEvent(data: data)
        unit.emit(Outbox.Event(id: event.id, type: Data.type, body: event.jsonBytes()))
    }
}
