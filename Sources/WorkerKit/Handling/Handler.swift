package import Contracts
internal import Reactor

/// A service's implementation of one message type.
package struct Handler: Sendable {
    /// The kinds of messages that are handled differently.
    enum Kind: Sendable, Hashable {
        case request(MessageKind)
        case event

        /// Whether a failed delivery is retried with the delays of the retry ladder. A failed query or credential is
        /// not retried: its sender gets an error reply at once, because the sender would not wait for a retry.
        var isRetried: Bool { self == .event || usesInbox }
        /// Whether the reply is stored in the inbox, so that a redelivery does not have the effect again.
        var usesInbox: Bool { self == .request(.command) }
    }

    /// The message type, which is also its routing key.
    package let type: String
    let kind: Kind
    let needsCaller: Bool
    /// The principals that may send this request without a caller although the message type needs a caller.
    var principalsWithoutCaller: Set<String> = []
    /// Decodes a message, runs the service's function and commits its effects.
    let attempt: @Loop @Sendable (IncomingMessage, HandlerEnvironment) async -> Attempt<Reply?>
    let afterCommit: @Loop @Sendable (IncomingMessage) async -> Void

    /// Makes a handler of a request.
    ///
    /// - Parameters:
    ///   - type: the message type.
    ///   - servicesWithoutCaller: the services that may send this request in their own name, without an account.
    ///   - afterCommit: called after the commit and before the reply. It is called again for every redelivery, because
    ///     a worker can die between the commit and this call, and for a command whose id another command has used.
    ///     Invalidate caches in this function.
    ///   - handle: returns the reply, or throws a `Problem`, which becomes the reply. Any other error counts as
    ///     transient: a command is retried, and a query or a credential gets a reply with the status 503.
    package static func request<Body, Answer>(
        _ type: MessageType<Body, Answer>, servicesWithoutCaller: Set<ServiceName> = [],
        afterCommit: @escaping @Loop @Sendable (IncomingMessage) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (Body, HandlerContext) async throws -> Reply
    ) -> Handler {
        let kind = Kind.request(type.kind)
        var handler = decodingRequest(type, afterCommit: afterCommit) { body, message, environment in
            let unit = UnitOfWork([message], kind: kind, environment)
            return await unit.run { [try await handle(body, unit.context(of: message))] }.map { $0[0] }
        }
        handler.principalsWithoutCaller = Set(servicesWithoutCaller.map(\.rawValue))
        return handler
    }

    /// Makes a handler of a request that carries out several messages in one transaction, with few statements.
    ///
    /// - Parameters:
    ///   - type: the message type.
    ///   - afterCommit: as for a single request; called for each message.
    ///   - handle: returns a reply for each message, in the order of the batch. If it throws, the transaction is rolled
    ///     back, and each message is carried out again in a batch of its own. A `Problem` that it throws for a batch of
    ///     one message becomes the reply to that message.
    package static func batchedRequest<Body, Answer>(
        _ type: MessageType<Body, Answer>,
        afterCommit: @escaping @Loop @Sendable (IncomingMessage) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (Batch<Body>) async throws -> [Reply]
    ) -> Handler {
        let batcher = Batcher<Body>(kind: .request(type.kind)) { try await handle($0) }
        return decodingRequest(type, afterCommit: afterCommit) { await batcher.carryOut($0, $1, $2) }
    }

    /// Makes a handler of a domain event. The handler must be idempotent, because events arrive at least once and in
    /// any order.
    ///
    /// - Parameters:
    ///   - data: the event type.
    ///   - afterCommit: as for a request.
    ///   - handle: applies the event. If it throws any error, including a `Problem`, the event is retried.
    package static func event<Data: DomainEvent>(
        _ data: Data.Type,
        afterCommit: @escaping @Loop @Sendable (IncomingMessage) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (CloudEvent<Data>, HandlerContext) async throws -> Void
    ) -> Handler {
        decodingEvent(afterCommit: afterCommit) { event, message, environment in
            let unit = UnitOfWork([message], kind: .event, environment)
            return await unit.run {
                try await handle(event, unit.context(of: message))
                return [nil]
            }.map { $0[0] }
        }
    }

    /// Makes a handler of a domain event that applies several events in one transaction, with few statements. The
    /// handler must be idempotent, because events arrive at least once and in any order.
    ///
    /// - Parameters:
    ///   - data: the event type.
    ///   - batchLimit: the maximum number of events in a batch. A batch is never larger than the queue's prefetch.
    ///   - gatheringTime: how long a batch that is not full waits for further events.
    ///   - afterCommit: as for a request; called for each event.
    ///   - handle: applies the events. If it throws, the transaction is rolled back, and each event is handled again
    ///     in a batch of its own.
    package static func batchedEvent<Data: DomainEvent>(
        _ data: Data.Type, batchLimit: Int = 64, gatheringTime: Duration = .zero,
        afterCommit: @escaping @Loop @Sendable (IncomingMessage) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (Batch<CloudEvent<Data>>) async throws -> Void
    ) -> Handler {
        let batcher = Batcher<CloudEvent<Data>>(
            kind: .event, limit: batchLimit, gatheringTime: gatheringTime
        ) { batch in
            try await handle(batch)
            return batch.members.map { _ in nil }
        }
        return decodingEvent(afterCommit: afterCommit) { await batcher.carryOut($0, $1, $2) }
    }

    private static func decodingRequest<Body, Answer>(
        _ type: MessageType<Body, Answer>,
        afterCommit: @escaping @Loop @Sendable (IncomingMessage) async -> Void,
        attempt: @escaping @Loop @Sendable (Body, IncomingMessage, HandlerEnvironment) async -> Attempt<Reply?>
    ) -> Handler {
        Handler(
            type: type.name, kind: .request(type.kind), needsCaller: type.needsCaller,
            attempt: { message, environment in
                let body: Body
                do throws(Problem) {
                    body = try type.request.decode(message.body)
                } catch {
                    return .refused(error)
                }
                let result = await attempt(body, message, environment)
                guard case .refused(var problem) = result else { return result }
                // A handler can find faults too, for example in a cursor.
                problem.faultyPart = type.request.faultyPart
                return .refused(problem)
            },
            afterCommit: afterCommit)
    }

    private static func decodingEvent<Data: DomainEvent>(
        afterCommit: @escaping @Loop @Sendable (IncomingMessage) async -> Void,
        attempt:
            @escaping @Loop @Sendable (CloudEvent<Data>, IncomingMessage, HandlerEnvironment) async
            -> Attempt<Reply?>
    ) -> Handler {
        Handler(
            type: Data.type, kind: .event, needsCaller: false,
            attempt: { message, environment in
                let event: CloudEvent<Data>
                do {
                    event = try EventEnvelope.decode(message.body).decode(Data.self)
                } catch {
                    return .undecodable("\(error)")
                }
                return await attempt(event, message, environment)
            },
            afterCommit: afterCommit)
    }
}
