internal import DequeModule

/// The commands that a connection in pipeline mode has sent and the server has not answered yet.
///
/// A pure state machine: the connection feeds it the results of `PQgetResult` and performs the actions it returns
/// (libpq manual, "Pipeline Mode").
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
        /// The query succeeded with this result.
        case succeed(Query)
        /// Keep this result: the query succeeds if its commit does, which the next sync tells.
        case awaitCommit
        /// The query succeeded with the result that was kept.
        case succeedAtCommit(Query)
        case fail(Query, PostgresError, isAutocommit: Bool, stale: PreparedStatement?)
        /// Preparing the statement failed.
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
    /// Whether the first step has its response and only the end of its results is missing.
    private var hasResponse = false
    /// The autocommit query whose commit is not confirmed yet. The server commits at the sync, after the response
    /// to the query: an implicit transaction ends with the sync (PostgreSQL manual, "Extended Query").
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

    /// Removes and returns all queries without an answer, after the connection was lost.
    mutating func drain() -> [Query] {
        // If the first step has its response, its query is answered or is the uncommitted one.
        let unanswered = steps.dropFirst(hasResponse ? 1 : 0).compactMap { step -> Query? in
            if case .query(let query, _, _) = step { query } else { nil }
        }
        defer { (steps, uncommitted) = ([], nil) }
        return (uncommitted.map { [$0] } ?? []) + unanswered
    }

    /// Takes the next response.
    ///
    /// - Returns: the action to perform, or `nil` if there is nothing to do.
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
            // The commit failed, for example at a deferred constraint. The end of this response and the sync
            // follow.
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
            // A query whose statement could not be prepared fails for the reason why preparing failed.
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
    /// Whether preparing the statement again would remove the cause.
    fileprivate var isOfStalePlan: Bool {
        storage.sqlState == Self.stalePlan || storage.sqlState == Self.unknownStatement
    }
}
