package import Contracts
internal import Reactor

/// What a service does with one type of message.
package struct Handler: Sendable {
    /// What a message asks for, as far as handling it goes.
    enum Kind: Sendable, Hashable {
        case request(MessageKind)
        case event

        /// Whether a failure is retried later; who waits for a query or has sent a password is told at once.
        var isRetried: Bool { self == .event || self == .request(.command) }
    }

    /// The message type, which is its routing key too.
    package let type: String
    let kind: Kind
    let needsCaller: Bool
    /// The principals that may ask in their own name where others need an account.
    var askers: Set<String> = []
    /// Decodes and handles; throws ``Undecodable`` or `Problem` for what no retry can mend.
    let handle: @Loop @Sendable (HandlerContext) async throws -> Reply?
    /// Runs after the commit and before the reply, at every delivery, the repeated ones too.
    let settled: @Loop @Sendable (HandlerContext) async -> Void

    /// A handler of a request.
    ///
    /// - Parameters:
    ///   - type: the row of the contract.
    ///   - askers: services that may ask for this without an account to speak for, as the broker vouches for them.
    ///   - settled: runs after the commit and before the reply, at every delivery, the repeated ones too: the place
    ///     to invalidate caches, since a worker may die between its commit and whatever follows.
    ///   - handle: answers, or throws a `Problem`; any other error counts as passing, and is retried.
    package static func request<Body, Answer>(
        _ type: MessageType<Body, Answer>, askers: Set<ServiceName> = [],
        settled: @escaping @Loop @Sendable (HandlerContext) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (Body, HandlerContext) async throws -> Reply
    ) -> Handler {
        Handler(
            type: type.name, kind: .request(type.kind), needsCaller: type.needsSubject,
            askers: Set(askers.map(\.rawValue)),
            handle: { context in try await handle(try type.request.decode(context.message.body), context) },
            settled: settled)
    }

    /// A handler of a request that carries out many at once, where many are in hand: in one transaction, with few statements.
    ///
    /// - Parameters:
    ///   - type: the row of the contract.
    ///   - settled: as for a single request; runs for each of them.
    ///   - handle: answers each, in their order. What it throws undoes all of them; each is then carried out in a batch
    ///     of its own, where a `Problem` is its answer.
    package static func batchedRequest<Body, Answer>(
        _ type: MessageType<Body, Answer>,
        settled: @escaping @Loop @Sendable (HandlerContext) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (Batch<Body>) async throws -> [Reply]
    ) -> Handler {
        let batcher = Batcher<Body> { try await handle($0) }
        return request(type, settled: settled) { body, context in
            guard let reply = try await batcher.carryOut(body, context) else { throw WrongNumberOfReplies() }
            return reply
        }
    }

    /// A handler of a domain event. It must bear that events come twice, and in any order.
    ///
    /// - Parameters:
    ///   - data: the kind of event.
    ///   - settled: as for a request.
    ///   - handle: takes note of the event; any error counts as passing, and is retried.
    package static func event<Data: DomainEvent>(
        _ data: Data.Type,
        settled: @escaping @Loop @Sendable (HandlerContext) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (CloudEvent<Data>, HandlerContext) async throws -> Void
    ) -> Handler {
        Handler(
            type: Data.type, kind: .event, needsCaller: false,
            handle: { context in
                try await handle(try decode(context.message.body), context)
                return nil
            },
            settled: settled)
    }

    /// A handler of a domain event that takes note of many at once, where many are in hand: in one transaction, with few
    /// statements. It must bear that events come twice, and in any order.
    ///
    /// - Parameters:
    ///   - data: the kind of event.
    ///   - settled: as for a request; runs for each of them.
    ///   - handle: takes note of all of them. What it throws undoes all of them; each is then handled in a batch of its own.
    package static func batchedEvent<Data: DomainEvent>(
        _ data: Data.Type,
        settled: @escaping @Loop @Sendable (HandlerContext) async -> Void = { _ in },
        handle: @escaping @Loop @Sendable (Batch<CloudEvent<Data>>) async throws -> Void
    ) -> Handler {
        let batcher = Batcher<CloudEvent<Data>> { batch in
            try await handle(batch)
            return batch.members.map { _ in nil }
        }
        return event(data, settled: settled) { event, context in
            _ = try await batcher.carryOut(event, context)
        }
    }

    private static func decode<Data: DomainEvent>(_ body: [UInt8]) throws(Undecodable) -> CloudEvent<Data> {
        do {
            return try EventEnvelope.decode(body).decode(Data.self)
        } catch {
            throw Undecodable(reason: "\(error)")
        }
    }
}

/// A message that no retry can mend: it does not decode, or nobody here handles its type.
package struct Undecodable: Error, CustomStringConvertible {
    /// What is wrong with it, without its content.
    package let reason: String

    /// Makes an error of its reason.
    package init(reason: String) {
        self.reason = reason
    }

    /// The reason.
    package var description: String { "cannot be handled: \(reason)" }
}
