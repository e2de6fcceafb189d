internal import DequeModule

/// What a connection in pipeline mode has sent and not yet heard of, and what each answer means.
///
/// Pure: the connection feeds it what `PQgetResult` returns and does what it says (libpq manual, "Pipeline Mode").
struct Pipeline<Query> {
    /// What `PQgetResult` returned.
    enum Reply {
        case success
        case failure(PostgresError)
        /// `PGRES_PIPELINE_ABORTED`: the server skipped it after an earlier failure.
        case aborted
        /// `PGRES_PIPELINE_SYNC`: the end of a segment.
        case sync
        /// A null pointer: the end of one command's results.
        case end
    }

    enum Action {
        case nothing
        /// The reply is the query's answer.
        case answer(Query)
        /// The reply will be the query's answer if its commit succeeds, of which the next sync tells.
        case hold
        /// What was held is the query's answer.
        case answerHeld(Query)
        case fail(Query, PostgresError, isShared: Bool, stale: PreparedStatement?)
        /// The statement is not prepared after all.
        case forget(PreparedStatement)
        /// The server broke the protocol.
        case violation
    }

    private enum Step {
        case prepare(PreparedStatement)
        case query(Query, PreparedStatement, isShared: Bool)
        case sync
    }

    private var steps: Deque<Step> = []
    private var hasReply = false
    /// The shared query whose commit is awaited: the server commits at the sync, after it has answered the statement
    /// (PostgreSQL manual, "Extended Query": an implicit transaction ends with the sync).
    private var held: Query?
    /// The first failure since the last sync.
    private var firstFailure: PostgresError?
    /// How many segments have been sent so far.
    private(set) var segments = 0
    private var sent: UInt64 = 0
    private var answered: UInt64 = 0

    var isEmpty: Bool { steps.isEmpty }

    mutating func appendPrepare(_ prepared: PreparedStatement) {
        steps.append(.prepare(prepared))
    }

    /// Notes a query that was sent.
    ///
    /// - Returns: its number, for ``isAnswered(_:)``.
    mutating func append(_ query: Query, _ prepared: PreparedStatement, isShared: Bool) -> UInt64 {
        steps.append(.query(query, prepared, isShared: isShared))
        sent += 1
        return sent
    }

    mutating func appendSync() {
        steps.append(.sync)
        segments += 1
    }

    func isAnswered(_ number: UInt64) -> Bool {
        answered >= number
    }

    /// Takes out all queries that have not been answered, when the connection is lost.
    mutating func drain() -> [Query] {
        // The first step's query has had its reply, or is the one that is held.
        let unanswered = steps.dropFirst(hasReply ? 1 : 0).compactMap { step -> Query? in
            if case .query(let query, _, _) = step { query } else { nil }
        }
        defer { (steps, held) = ([], nil) }
        return (held.map { [$0] } ?? []) + unanswered
    }

    mutating func receive(_ reply: Reply) -> Action {
        guard let step = steps.first else { return .violation }
        switch (step, reply) {
        case (.sync, _):
            return receiveAtSync(reply)
        case (_, .sync):
            return .violation
        case (_, .end):
            guard hasReply else { return .violation }
            hasReply = false
            steps.removeFirst()
            return .nothing
        case (_, _) where hasReply:
            return .violation
        case (.prepare(let prepared), _):
            hasReply = true
            return receive(reply, for: prepared)
        case (.query(let query, let prepared, let isShared), _):
            hasReply = true
            if let error = failure(reply, using: prepared) {
                answered += 1
                return .fail(query, error, isShared: isShared, stale: error.isOfStalePlan ? prepared : nil)
            }
            if isShared {
                held = query
                return .hold
            }
            answered += 1
            return .answer(query)
        }
    }

    private mutating func receiveAtSync(_ reply: Reply) -> Action {
        switch reply {
        case .sync where !hasReply:
            steps.removeFirst()
            firstFailure = nil
            guard let query = held.take() else { return .nothing }
            answered += 1
            return .answerHeld(query)
        case .failure(let error) where !hasReply:
            // The commit failed, as over a deferred constraint; the end of this reply and the sync are still to come.
            hasReply = true
            guard let query = held.take() else { return .nothing }
            answered += 1
            return .fail(query, error, isShared: true, stale: nil)
        case .end where hasReply:
            hasReply = false
            return .nothing
        default:
            return .violation
        }
    }

    private mutating func receive(_ reply: Reply, for prepared: PreparedStatement) -> Action {
        switch reply {
        case .failure(let error):
            firstFailure = firstFailure ?? error
            prepared.state = .failed(error)
            return .forget(prepared)
        case .aborted:
            prepared.state = .failed(.aborted(by: firstFailure))
            return .forget(prepared)
        case .success, .sync, .end:
            prepared.state = .ready
            return .nothing
        }
    }

    private mutating func failure(_ reply: Reply, using prepared: PreparedStatement) -> PostgresError? {
        switch reply {
        case .failure(let error):
            // A statement that relied on a preparation which failed meanwhile failed for that reason.
            let told = error.sqlState == PostgresError.unknownStatement ? prepared.failure ?? error : error
            firstFailure = firstFailure ?? told
            return told
        case .aborted:
            return prepared.failure ?? .aborted(by: firstFailure)
        case .success, .sync, .end:
            return nil
        }
    }
}

extension PreparedStatement {
    fileprivate var failure: PostgresError? {
        if case .failed(let error) = state { error } else { nil }
    }
}

extension PostgresError {
    /// Whether preparing the statement anew would mend it.
    fileprivate var isOfStalePlan: Bool {
        storage.sqlState == Self.stalePlan || storage.sqlState == Self.unknownStatement
    }
}
