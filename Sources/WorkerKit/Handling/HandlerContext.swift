package import Contracts
package import FoundationEssentials
package import Logging
package import Postgres
package import Reactor

/// Gives a handler access to the caller, the transaction and the outbox of its message.
@Loop package struct HandlerContext {
    /// The message.
    package let message: IncomingMessage
    /// The service's log. It adds the message's request id to every line.
    package let log: Logger
    let unit: UnitOfWork

    init(message: IncomingMessage, log: Logger, unit: UnitOfWork) {
        self.message = message
        self.log = log
        self.unit = unit
    }

    /// The account on whose behalf the message was sent.
    ///
    /// - Throws: ``Problem`` `unauthenticated` if there is none.
    package var caller: Caller {
        get throws(Problem) {
            guard let caller = message.caller else { throw Problem(.unauthenticated) }
            return caller
        }
    }

    /// The id of the entity that the message creates, see ``IncomingMessage/newID``.
    package var newID: UUID { message.newID }

    /// Returns the transaction of this delivery. The first call begins the transaction. It is committed after the
    /// handler has returned.
    ///
    /// - Throws: `PostgresError` if no connection becomes free in time.
    package func transaction() async throws(PostgresError) -> Transaction {
        try await unit.transaction()
    }

    /// Returns the stored reply if an earlier delivery has already carried out this command. The handler must then
    /// return this reply without any further effect.
    ///
    /// For a handler with an effect outside the database, because a rollback of the transaction does not undo such an
    /// effect. The call takes a round trip to the database.
    ///
    /// - Returns: the stored reply; a refusal if another command has used the id; `nil` if the id is not in the inbox.
    /// - Throws: `PostgresError` if the inbox cannot be read.
    package func storedReply() async throws(PostgresError) -> Reply? {
        try await unit.storedReply(to: message)
    }

    /// Commits the statements and events so far. They stay committed if the rest of the handler fails.
    ///
    /// For the handler of an event about several entities: if one entity fails, the event is retried, but the work for
    /// the entities before it is kept. Does nothing in the handler of a command, because all effects of a command are
    /// committed together with its inbox row.
    ///
    /// - Throws: `PostgresError` if the commit fails.
    package func checkpoint() async throws(PostgresError) {
        try await unit.checkpoint()
    }

    /// Declares an error of the transaction for which the command is refused with a problem instead of being retried.
    ///
    /// For statements that are sent together with the commit: when they fail, the handler has already returned and can
    /// no longer throw the problem. A redelivery gets the stored reply, not the problem.
    ///
    /// - Parameters:
    ///   - code: the code of the problem that the caller gets.
    ///   - matches: returns whether an error of the transaction is the declared one.
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
