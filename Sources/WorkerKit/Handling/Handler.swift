package import Contracts
internal import Reactor

/// A service's implementation of one message type.
package struct Handler: Sendable {
    /// The kind of message as far as handling it is concerned.
    enum Kind: Sendable, Hashable {
        case request(MessageKind)
        case event

        /// Whether a failed delivery climbs the retry ladder. The sender of a query or a credential gets an error reply
        /// at once instead, because it stops waiting before a retry could succeed.
        var isRetried: Bool { self == .event || usesInbox }
        /// Whether the reply is stored in the inbox, so that a redelivery has no second effect.
        var usesInbox: Bool { self == .request(.command) }
    }

    /// The message type, which is also its routing key.
    package let type: String
    let kind: Kind
    let needsCaller: Bool
    /// The principals whose requests need no caller although the message type does.
    var principalsWithoutCaller: Set<String> = []
    /// Decodes a message, runs the service's function and commits its effects.
    let attempt: @Loop @Sendable (IncomingMessage, HandlerEnvironment) async -> Attempt<Reply?>
    let afterCommit: @Loop @Sendable (IncomingMessage) async -> Void

    /// Makes a handler of a request.
    ///
    /// - Parameters:
    ///   - type: the message type.
    ///   - servicesWithoutCaller: the services that may send this request in their own name, without an account.
    ///   - afterCommit: runs after the commit and before the reply, and again for every redelivery, because a worker
    ///     can die between its commit and this call. Invalidate caches here.
    ///   - handle: returns the reply, or throws a `Problem`, which becomes the reply. Any other error counts as
    ///     transient: a command is retried, another request gets a 503.
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

    /// Makes a handler of a request that carries out all messages in flight in one transaction, with few statements.
    ///
    /// - Parameters:
    ///   - type: the message type.
    ///   - afterCommit: as for a single request; runs for each message.
    ///   - handle: returns a reply for each message, in the batch's order. If it throws, the transaction is rolled back
    ///     and each message is carried out again in a batch of its own; a `Problem` thrown there becomes the reply.
    package static func batchedRequest<Body, Answer>(
        _ type: MessageType<Body, Answer>,
        afterCommit: @escaping @Loop @Sendable (IncomingMessage) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (Batch<Body>) async throws -> [Reply]
    ) -> Handler {
        let batcher = Batcher<Body>(kind: .request(type.kind)) { try await handle($0) }
        return decodingRequest(type, afterCommit: afterCommit) { await batcher.carryOut($0, $1, $2) }
    }

    /// Makes a handler of a domain event. Events arrive at least once and in any order, so it must be idempotent.
    ///
    /// - Parameters:
    ///   - data: the event type.
    ///   - afterCommit: as for a request.
    ///   - handle: applies the event. Any error counts as transient, also a `Problem`: the event is retried.
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

    /// Makes a handler of a domain event that applies all events in flight in one transaction, with few statements.
    /// Events arrive at least once and in any order, so it must be idempotent.
    ///
    /// - Parameters:
    ///   - data: the event type.
    ///   - afterCommit: as for a request; runs for each event.
    ///   - handle: applies the events. If it throws, the transaction is rolled back and each event is handled again
    ///     in a batch of its own.
    package static func batchedEvent<Data: DomainEvent>(
        _ data: Data.Type,
        afterCommit: @escaping @Loop @Sendable (IncomingMessage) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (Batch<CloudEvent<Data>>) async throws -> Void
    ) -> Handler {
        let batcher = Batcher<CloudEvent<Data>>(kind: .event) { batch in
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
            type: type.name, kind: .request(type.kind), needsCaller: type.needsSubject,
            attempt: { message, environment in
                let body: Body
                do throws(Problem) {
                    body = try type.request.decode(message.body)
                } catch {
                    return .refused(error)
                }
                return await attempt(body, message, environment)
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
