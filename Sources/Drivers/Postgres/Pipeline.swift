internal import DequeModule

/// The commands that were sent over a connection in pipeline mode and that the server has not answered yet.
///
/// A pure state machine: the connection passes the results of `PQgetResult` to it and performs the actions that it
/// returns (libpq manual, "Pipeline Mode").
///
/// A sync ends a segment of the pipeline. If a command fails, the server skips the rest of the command's segment.
struct Pipeline<Query> {
    /// A result of `PQgetResult`.
    enum Response {
        case success
        case failure(PostgresError)
        /// `PGRES_PIPELINE_ABORTED`: the server skipped the command because of an earlier failure.
        case aborted
        /// `PGRES_PIPELINE_SYNC`: the end of a segment.
        case sync
        /// A null pointer: the end of one command's results.
        case end
    }

    enum Action {
        /// The query succeeded. Its result is the one that `PQgetResult` has just returned.
        case succeed(Query)
        /// Keep the result that `PQgetResult` has just returned. The query succeeds when the next sync confirms its
        /// commit.
        case awaitCommit
        /// The query succeeded with the result that was kept.
        case succeedAtCommit(Query)
        /// The query failed. If `stale` is not `nil`, that statement must be prepared again before its next use.
        case fail(Query, PostgresError, isAutocommit: Bool, stale: PreparedStatement?)
        /// Preparing this statement failed. The connection must not use it again.
        case forget(PreparedStatement)
        /// The server violated the protocol.
        case violation
    }

    private enum Step {
        case prepare(PreparedStatement)
        case query(Query, PreparedStatement, isAutocommit: Bool)
        case sync
    }

    private var steps: Deque<Step> = []
    /// Whether the response to the first step has arrived. Only the end of that step's results is then missing. If the
    /// first step is a sync, the commit has failed. The end of that failure and the response to the sync then follow.
    private var hasResponse = false
    /// The autocommit query whose commit is not confirmed yet. The response to the query comes before its commit,
    /// because the sync after the query ends the implicit transaction (PostgreSQL manual, "Extended Query").
    private var uncommitted: Query?
    /// The first failure since the last sync.
    private var firstFailure: PostgresError?
    /// The number of segments sent so far.
    private(set) var segments = 0
    private var sent: UInt64 = 0
    private var answered: UInt64 = 0

    var isEmpty: Bool { steps.isEmpty }

    mutating func appendPrepare(_ prepared: PreparedStatement) {
        steps.append(.prepare(prepared))
    }

    /// Adds a query that was sent.
    ///
    /// - Returns: its number, for ``isAnswered(_:)``.
    mutating func append(_ query: Query, _ prepared: PreparedStatement, isAutocommit: Bool) -> UInt64 {
        steps.append(.query(query, prepared, isAutocommit: isAutocommit))
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

    /// Removes and returns all queries that were not answered, after the connection was lost.
    mutating func drain() -> [Query] {
        // A first step with a response is skipped: its query was answered, or is in `uncommitted`.
        let unanswered = steps.dropFirst(hasResponse ? 1 : 0).compactMap { step -> Query? in
            if case .query(let query, _, _) = step { query } else { nil }
        }
        defer { (steps, uncommitted) = ([], nil) }
        return (uncommitted.map { [$0] } ?? []) + unanswered
    }

    /// Takes the next response.
    ///
    /// - Returns: the action to perform, or `nil` if none is necessary.
    mutating func receive(_ response: Response) -> Action? {
        guard let step = steps.first else { return .violation }
        switch (step, response) {
        case (.sync, _):
            return receiveAtSync(response)
        case (_, .sync):
            return .violation
        case (_, .end):
            guard hasResponse else { return .violation }
            hasResponse = false
            steps.removeFirst()
            return nil
        case (_, _) where hasResponse:
            return .violation
        case (.prepare(let prepared), _):
            hasResponse = true
            return receive(response, for: prepared)
        case (.query(let query, let prepared, let isAutocommit), _):
            hasResponse = true
            if let error = failure(response, using: prepared) {
                answered += 1
                return .fail(query, error, isAutocommit: isAutocommit, stale: error.isOfStalePlan ? prepared : nil)
            }
            if isAutocommit {
                uncommitted = query
                return .awaitCommit
            }
            answered += 1
            return .succeed(query)
        }
    }

    private mutating func receiveAtSync(_ response: Response) -> Action? {
        switch response {
        case .sync where !hasResponse:
            steps.removeFirst()
            firstFailure = nil
            guard let query = uncommitted.take() else { return nil }
            answered += 1
            return .succeedAtCommit(query)
        case .failure(let error) where !hasResponse:
            // The commit failed, for example because of a deferred constraint. The end of this response and the
            // response to the sync follow.
            hasResponse = true
            guard let query = uncommitted.take() else { return nil }
            answered += 1
            return .fail(query, error, isAutocommit: true, stale: nil)
        case .end where hasResponse:
            hasResponse = false
            return nil
        default:
            return .violation
        }
    }

    private mutating func receive(_ response: Response, for prepared: PreparedStatement) -> Action? {
        switch response {
        case .failure(let error):
            firstFailure = firstFailure ?? error
            prepared.state = .failed(error)
            return .forget(prepared)
        case .aborted:
            prepared.state = .failed(.aborted(by: firstFailure))
            return .forget(prepared)
        case .success, .sync, .end:
            prepared.state = .ready
            return nil
        }
    }

    private mutating func failure(_ response: Response, using prepared: PreparedStatement) -> PostgresError? {
        switch response {
        case .failure(let error):
            // If the server does not know the statement because preparing it failed, the query gets the error of the
            // preparation.
            let reason = error.sqlState == PostgresError.unknownStatement ? prepared.failure ?? error : error
            firstFailure = firstFailure ?? reason
            return reason
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
    /// Whether the error disappears if the statement is prepared again.
    fileprivate var isOfStalePlan: Bool {
        storage.sqlState == Self.stalePlan || storage.sqlState == Self.unknownStatement
    }
}
