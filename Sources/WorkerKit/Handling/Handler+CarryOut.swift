internal import Contracts
package import Logging
package import Postgres
package import Reactor

extension Handler {
    /// What became of a message.
    package enum Outcome {
        /// Handled, and answered.
        case reply(Reply)
        /// Handled, with nothing to answer.
        case done
        /// A retry may mend it.
        case failed(any Error)
        /// No retry can mend it.
        case impossible(String)
    }

    /// Handles a message and commits what was done; where that fails, says what is answered instead.
    ///
    /// - Parameters:
    ///   - pool: the service's database.
    ///   - log: gets the request's id on every line.
    ///   - eventsCommitted: called once the outbox has events of this message, before the caches are invalidated.
    @Loop package func carryOut(
        _ message: IncomingMessage, in pool: PostgresPool, log: Logger, eventsCommitted: @Loop () -> Void = {}
    ) async -> Outcome {
        let work = UnitOfWork(pool: pool, message: message, usesInbox: kind == .request(.command))
        var log = log
        log[metadataKey: "request-id"] = "\(message.requestID)"
        let context = HandlerContext(message: message, log: log, work: work)
        do {
            let reply = try await handle(context)
            try await work.commit(reply)
            if work.hasEvents || work.hasCommittedEvents { eventsCommitted() }
            await settled(context)
            return reply.map(Outcome.reply) ?? .done
        } catch {
            if work.hasCommittedEvents { eventsCommitted() }
            work.rollback()
            return await recover(from: error, context)
        }
    }

    @Loop private func recover(from error: any Error, _ context: HandlerContext) async -> Outcome {
        do {
            switch error {
            // Nobody waits for the answer to an event: there a problem is a failure like any other.
            case let told as Problem where kind != .event:
                return .reply(try await refuse(told, context))
            case let fault as Undecodable:
                return .impossible(fault.reason)
            default:
                guard let earlier = try await context.work.earlierReply(insteadOf: error) else { return .failed(error) }
                await settled(context)
                return .reply(earlier)
            }
        } catch let told as Problem {
            return .reply(context.message.refusal(told))
        } catch {
            return .failed(error)
        }
    }

    /// A problem, or what an earlier delivery was answered, whose effect may be what this one is refused for.
    @Loop private func refuse(_ told: Problem, _ context: HandlerContext) async throws -> Reply {
        let refusal = context.message.refusal(told)
        guard kind == .request(.command), told.status < 500, told.code != .idempotencyKeyReused,
            let earlier = try await context.work.remember(refusal)
        else { return refusal }
        await settled(context)
        return earlier
    }
}

extension IncomingMessage {
    /// A problem as the answer to this message.
    func refusal(_ problem: Problem) -> Reply {
        .problem(problem, traceID: traceID)
    }
}
