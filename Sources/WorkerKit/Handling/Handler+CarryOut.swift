internal import Contracts
package import Logging
package import Postgres
internal import Reactor

/// The parts of a worker that its handlers use.
package struct HandlerEnvironment: Sendable {
    /// The service's database.
    package let database: PostgresPool
    /// The service's log. Lines about a message also contain the message's request id.
    package let log: Logger
    /// Called after each commit that wrote outbox rows.
    package let eventsCommitted: @Loop @Sendable () -> Void
    /// Called after each commit of a handler's transaction.
    package let transactionCommitted: @Loop @Sendable () -> Void

    /// Makes an environment.
    package init(
        database: PostgresPool, log: Logger, eventsCommitted: @escaping @Loop @Sendable () -> Void = {},
        transactionCommitted: @escaping @Loop @Sendable () -> Void = {}
    ) {
        self.database = database
        self.log = log
        self.eventsCommitted = eventsCommitted
        self.transactionCommitted = transactionCommitted
    }
}

/// The result of handling a message. It determines whether the message is acknowledged, retried or dead-lettered.
package enum HandlingResult: Sendable {
    /// A request was carried out, now or by an earlier delivery, or was refused. The sender gets this reply.
    case reply(Reply)
    /// An event was applied.
    case applied
    /// The transaction was rolled back because of this error. A retry can succeed.
    case failed(any Error)
    /// The message cannot be handled, for this reason. A retry cannot succeed.
    case unprocessable(String)
}

extension Handler {
    /// Carries out a message. If the message is carried out, now or by an earlier delivery, calls `afterCommit`.
    ///
    /// The first attempt does not read the inbox, because most deliveries are not redeliveries. A redelivered command
    /// violates the inbox's primary key, so its transaction is rolled back, and the stored reply is returned.
    package func carryOut(
        _ message: IncomingMessage, in environment: HandlerEnvironment
    ) async -> HandlingResult {
        switch await attempt(message, environment) {
        case .committed(let reply):
            await afterCommit(message)
            return reply.map(HandlingResult.reply) ?? .applied
        case .redelivered(let reply):
            await afterCommit(message)
            return .reply(reply)
        case .undecodable(let reason):
            return .unprocessable(reason)
        // An event is retried, because no sender waits for a reply.
        case .refused(let problem) where kind == .event:
            return .failed(problem)
        case .refused(let problem):
            return await refuse(message, with: problem, in: environment)
        case .failed(let error, let refusal):
            return await recover(message, from: error, refusal, in: environment)
        }
    }

    /// Refuses a request with a problem. The refusal of a command is stored, so that a redelivery gets the same
    /// refusal.
    ///
    /// - Returns: the stored reply if the command is a redelivery, because the effect of the earlier delivery can be
    ///   the reason for this refusal: a redelivered delete does not find the row. Otherwise the refusal.
    private func refuse(
        _ message: IncomingMessage, with problem: Problem, in environment: HandlerEnvironment
    ) async -> HandlingResult {
        let refusal = message.refusal(problem)
        // Two kinds of refusals are not stored. If the id belongs to another command, the inbox keeps that command's
        // reply. After a problem of the server (5xx), the same command can succeed later.
        guard problem.code != .idempotencyKeyReused else {
            await afterCommit(message)
            return .reply(refusal)
        }
        guard kind.usesInbox, problem.status < 500 else { return .reply(refusal) }
        do throws(PostgresError) {
            let earlier = try await Inbox.storeRefusal(refusal, of: message, in: environment.database)
            return await answer(earlier, message) ?? .reply(refusal)
        } catch {
            return .failed(error)
        }
    }

    /// Handles a failed attempt. If the command is a redelivery, returns the stored reply, because the effect of the
    /// earlier delivery can be the cause of the failure.
    private func recover(
        _ message: IncomingMessage, from failure: any Error, _ refusal: ProblemCode?, in environment: HandlerEnvironment
    ) async -> HandlingResult {
        if kind.usesInbox {
            do throws(PostgresError) {
                let earlier = try await Inbox.lookUp(message, in: environment.database)
                if let result = await answer(earlier, message) { return result }
            } catch {
                return .failed(error)
            }
        }
        return refusal.map { .reply(message.refusal(Problem($0))) } ?? .failed(failure)
    }

    /// Returns the result for a command whose id is in the inbox; `nil` if the id is not in the inbox. Otherwise calls
    /// `afterCommit`: the worker may have died before it called it, and a command whose id another command has used may
    /// have had an effect outside the database.
    func answer(_ earlier: InboxLookup, _ message: IncomingMessage) async -> HandlingResult? {
        switch earlier {
        case .absent:
            return nil
        case .stored(let reply):
            await afterCommit(message)
            return .reply(reply)
        case .otherCommand:
            await afterCommit(message)
            return .reply(message.refusal(Problem(.idempotencyKeyReused)))
        }
    }
}

extension IncomingMessage {
    /// Makes the reply that refuses this message with a problem.
    func refusal(_ problem: Problem) -> Reply {
        .problem(problem, traceID: traceID)
    }
}
