internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor

/// The transaction of one attempt to carry out one message or a batch of messages. The handler's statements, the outbox
/// rows and the inbox rows are committed together or not at all.
///
/// `BEGIN`, the inbox rows, the outbox rows and `COMMIT` are sent together with the handler's statements. This takes
/// one round trip to the database if the handler awaits none of its statements, and two if it awaits one.
@Loop final class UnitOfWork {
    private let messages: [IncomingMessage]
    private let usesInbox: Bool
    private let environment: HandlerEnvironment
    private var begun: Transaction?
    private var events: [Outbox.Event] = []
    private var refusals: [Refusal] = []
    /// The inbox's result for the only message, if the handler has looked it up.
    private var earlier: InboxLookup?

    /// An error of the transaction for which the command is refused instead of being retried.
    private struct Refusal {
        let code: ProblemCode
        let matches: @Loop (PostgresError) -> Bool
    }

    init(_ messages: [IncomingMessage], kind: Handler.Kind, _ environment: HandlerEnvironment) {
        self.messages = messages
        usesInbox = kind.usesInbox
        self.environment = environment
    }

    /// Runs a handler and commits its effects, or rolls them back if the handler or the commit throws.
    ///
    /// - Parameter handle: returns a reply for each message, in the order of the messages; `nil` for an event.
    func run(_ handle: @Loop () async throws -> [Reply?]) async -> Attempt<[Reply?]> {
        // Rolls the transaction back if it was not committed.
        defer { begun?.close() }
        do {
            let replies = try await handle()
            switch earlier {
            case .stored(let reply): return .redelivered(reply)
            case .otherCommand: return .refused(Problem(.idempotencyKeyReused))
            case .absent, nil: break
            }
            guard replies.count == messages.count else {
                throw HandlerError(
                    .wrongNumberOfReplies,
                    "the handler returned \(replies.count) replies to \(messages.count) messages")
            }
            try await commit(storing: replies)
            return .committed(replies)
        } catch let problem as Problem {
            return .refused(problem)
        } catch {
            return .failed(error, refusal: refusal(for: error))
        }
    }

    private func commit(storing replies: [Reply?]) async throws(PostgresError) {
        var rows: [Inbox.NewRow] = []
        if usesInbox {
            for (message, reply) in zip(messages, replies) {
                guard let reply, let row = await Inbox.NewRow(message, reply) else { continue }
                rows.append(row)
            }
        }
        guard begun != nil || !events.isEmpty || !rows.isEmpty else { return }
        let transaction = try await transaction()
        if !events.isEmpty { Outbox.insert(events, in: transaction) }
        if !rows.isEmpty { Inbox.insert(rows, in: transaction) }
        try await transaction.commit()
        environment.transactionCommitted()
        if !events.isEmpty { environment.eventsCommitted() }
    }

    private func refusal(for error: any Error) -> ProblemCode? {
        guard let error = error as? PostgresError else { return nil }
        return refusals.first { $0.matches(error) }?.code
    }

    // MARK: For the handler

    func context(of message: IncomingMessage) -> HandlerContext {
        var log = environment.log
        log[metadataKey: "request-id"] = "\(message.requestID)"
        return HandlerContext(message: message, log: log, unit: self)
    }

    func transaction() async throws(PostgresError) -> Transaction {
        if let begun { return begun }
        let transaction = try await environment.database.begin(deadline: .now + .seconds(10))
        begun = transaction
        return transaction
    }

    func emit(_ event: Outbox.Event) {
        events.append(event)
    }

    /// Commits the effects so far. Later statements use a new transaction. Does nothing for a command, because all
    /// effects of a command are committed together with its inbox row.
    func checkpoint() async throws(PostgresError) {
        guard !usesInbox else { return }
        defer { (begun, events) = (nil, []) }
        try await commit(storing: [])
    }

    func onCommitFailure(refuseWith code: ProblemCode, if matches: @escaping @Loop (PostgresError) -> Bool) {
        refusals.append(Refusal(code: code, matches: matches))
    }

    func storedReply(to message: IncomingMessage) async throws(PostgresError) -> Reply? {
        guard usesInbox else { return nil }
        let found: InboxLookup
        if let earlier { found = earlier } else { found = try await Inbox.lookUp(message, in: environment.database) }
        // If a batch of several messages has a redelivered one, the commit violates the inbox's primary key, and each
        // message is carried out again in a batch of its own.
        if messages.count == 1 { earlier = found }
        switch found {
        case .absent: return nil
        case .stored(let reply): return reply
        case .otherCommand: return message.refusal(Problem(.idempotencyKeyReused))
        }
    }
}

/// The result of an attempt to carry out messages.
enum Attempt<Replies: Sendable>: Sendable {
    /// The effects are committed, with these replies.
    case committed(Replies)
    /// Rolled back, because the handler has found this stored reply of an earlier delivery.
    case redelivered(Reply)
    /// Rolled back, because the request is refused with this problem.
    case refused(Problem)
    /// Not attempted, because the body cannot be decoded, for this reason.
    case undecodable(String)
    /// Rolled back because of this error. `refusal` is the code with which the command is refused; `nil` if a retry can
    /// succeed.
    case failed(any Error, refusal: ProblemCode?)

    func map<Other: Sendable>(_ transform: (Replies) -> Other) -> Attempt<Other> {
        switch self {
        case .committed(let replies): .committed(transform(replies))
        case .redelivered(let reply): .redelivered(reply)
        case .refused(let problem): .refused(problem)
        case .undecodable(let reason): .undecodable(reason)
        case .failed(let error, let refusal): .failed(error, refusal: refusal)
        }
    }
}

/// An error in the implementation of a service's handler.
struct HandlerError: CodedError {
    let code: ErrorCode<HandlerError>
    let message: String
    let location: ErrorLocation
    var isTransient: Bool { false }

    init(_ code: ErrorCode<HandlerError>, _ message: String, fileID: StaticString = #fileID, line: UInt = #line) {
        self.code = code
        self.message = message
        location = ErrorLocation(fileID: fileID, line: line)
    }
}

extension ErrorCode<HandlerError> {
    /// A handler of batches returned more or fewer replies than there were messages.
    static let wrongNumberOfReplies = ErrorCode("wrong-number-of-replies")
}
