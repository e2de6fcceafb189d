internal import Contracts
package import Logging
package import Postgres
internal import Reactor

/// The worker's parts that handlers use.
package struct HandlerEnvironment: Sendable {
    /// The service's database.
    package let database: PostgresPool
    /// The service's log; lines about a message carry its request id.
    package let log: Logger
    /// Called after each commit that wrote outbox rows.
    package let eventsCommitted: @Loop @Sendable () -> Void

    /// Makes an environment of its parts.
    package init(
        database: PostgresPool, log: Logger, eventsCommitted: @escaping @Loop @Sendable () -> Void = {}
    ) {
        self.database = database
        self.log = log
        self.eventsCommitted = eventsCommitted
    }
}

/// The result of handling a message, which decides its acknowledgement.
package enum HandlingResult: Sendable {
    /// A request was carried out, now or by an earlier delivery, or refused; the sender gets this reply.
    case reply(Reply)
    /// An event was applied.
    case applied
    /// The message was rolled back; a retry can succeed.
    case failed(any Error)
    /// No retry can succeed, for this reason.
    case unprocessable(String)
}

extension Handler {
    /// Carries out a message: attempts it, consults the inbox if the attempt did not commit, and runs the hook.
    ///
    /// The attempt assumes that the delivery is the first. A redelivery violates the inbox's primary key, so its
    /// transaction is rolled back and the stored reply is returned.
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
        // An event has no sender that waits for a reply.
        case .refused(let problem) where kind == .event:
            return .failed(problem)
        case .refused(let problem):
            return await refuse(message, with: problem, in: environment)
        case .failed(let error, let refusal):
            return await recover(message, from: error, refusal, in: environment)
        }
    }

    /// Stores the refusal of a command, so that a redelivery is refused alike.
    ///
    /// - Returns: the reply of an earlier delivery if there was one, because its effect can be the reason for this
    ///   refusal: a second delete finds nothing to delete.
    private func refuse(
        _ message: IncomingMessage, with problem: Problem, in environment: HandlerEnvironment
    ) async -> HandlingResult {
        let refusal = message.refusal(problem)
        // The id of another command keeps that command's reply; a problem of the server's own can pass.
        guard kind.usesInbox, problem.status < 500, problem.code != .idempotencyKeyReused else {
            return .reply(refusal)
        }
        do throws(PostgresError) {
            let earlier = try await Inbox.storeRefusal(refusal, of: message, in: environment.database)
            return await answer(earlier, message) ?? .reply(refusal)
        } catch {
            return .failed(error)
        }
    }

    /// Handles the failure of an attempt: a redelivery gets the stored reply, because the earlier delivery's effect
    /// can be the cause of the failure.
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

    /// Returns the result for a command that the inbox knows, `nil` for one that it does not know.
    private func answer(_ earlier: InboxLookup, _ message: IncomingMessage) async -> HandlingResult? {
        switch earlier {
        case .absent:
            return nil
        case .stored(let reply):
            await afterCommit(message)
            return .reply(reply)
        case .otherCommand:
            return .reply(message.refusal(Problem(.idempotencyKeyReused)))
        }
    }
}

extension IncomingMessage {
    /// Returns the reply that tells a problem to this message's sender.
    func refusal(_ problem: Problem) -> Reply {
        .problem(problem, traceID: traceID)
    }
}
