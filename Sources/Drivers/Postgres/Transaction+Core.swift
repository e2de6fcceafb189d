internal import Reactor

/// A transaction's hold on its connection, and where the transaction stands.
@Loop final class Lease {
    enum State {
        /// Nothing has been sent, not even `BEGIN`.
        case fresh
        case active
        /// A statement failed, or could not be sent; all that is left is to roll back.
        case failed(PostgresError)
        case committing
        /// `ROLLBACK` was sent and not yet answered.
        case rollingBack(PendingQuery)
        case ended
    }

    private(set) var state = State.fresh
    /// The first failure of a statement, which the others follow from: they may have been sent in a later turn, and then
    /// the server does not say so.
    private var firstFailure: PostgresError?
    /// Nil once it has been given back.
    private var connection: Connection?
    private let pool: PostgresPool
    private var timer: LoopTimer?
    private var none = ParameterBuffer()

    init(_ connection: Connection?, pool: PostgresPool, deadline: ContinuousClock.Instant?) {
        self.connection = connection
        self.pool = pool
        if let deadline { expire(at: deadline) }
    }

    /// The buffer for the parameters of the next statement.
    var parameters: ParameterBuffer {
        get { pool.parameters }
        _modify { yield &pool.parameters }
    }

    // MARK: Statements

    /// Sends a statement with the parameters that are in the buffer.
    func send(_ statement: Statement) -> PendingQuery {
        switch state {
        case .fresh, .active: break
        case .failed(let cause): return PendingQuery(failed: .aborted(by: cause))
        case .committing, .rollingBack, .ended: return PendingQuery(failed: Self.isOver)
        }
        if let fault = parameters.fault {
            state = .failed(fault)
            return PendingQuery(failed: fault)
        }
        let query = PendingQuery()
        query.onAnswer = { [weak self] in self?.note($0) ?? $0 }
        guard let connection, connection.isOpen else {
            query.finish(.failure(PostgresError(.connectionLost, "the transaction's connection broke")))
            return query
        }
        if case .fresh = state {
            state = .active
            let begin = PendingQuery()
            begin.onAnswer = { [weak self] in self?.note($0) ?? $0 }
            connection.send(begin, .begin, &none, isShared: false)
        }
        connection.send(query, statement, &parameters, isShared: false)
        return query
    }

    /// Takes note of a failure, and says what it follows from.
    private func note(_ result: Result<Rows, PostgresError>) -> Result<Rows, PostgresError> {
        guard case .failure(let told) = result else { return result }
        let error = told.isOfUnnamedFailure ? firstFailure.map { .aborted(by: $0) } ?? told : told
        // That somebody stopped waiting says nothing of what the server did.
        if firstFailure == nil || firstFailure?.code == .cancelled { firstFailure = error }
        switch state {
        case .fresh, .active: state = .failed(error)
        case .failed, .committing, .rollingBack, .ended: break
        }
        return .failure(error)
    }

    static let isOver = PostgresError(.ended, "the transaction has ended")

    // MARK: The end

    func commit() async throws(PostgresError) {
        switch state {
        case .fresh: return finish()
        case .active: break
        case .failed(let cause):
            await rollback()
            throw .aborted(by: cause)
        case .committing, .rollingBack, .ended: throw Self.isOver
        }
        guard let connection, connection.isOpen else {
            finish()
            throw PostgresError(.connectionLost, "the transaction's connection broke")
        }
        state = .committing
        let commit = PendingQuery()
        commit.onAnswer = { [weak self] in self?.note($0) ?? $0 }
        connection.send(commit, .commit, &none, isShared: false)
        switch await commit.settled() {
        case .success(let rows):
            finish()
            // The server answers the commit of a failed transaction with ROLLBACK, and calls that a success.
            guard rows.commandTag == "COMMIT" else { throw .aborted(by: firstFailure) }
        case .failure(let error) where error.endsConnection:
            finish()
            throw PostgresError(.outcomeUnknown, "the connection broke during the commit", cause: error)
        case .failure(let error):
            state = .failed(error)
            await rollback()
            throw error
        }
    }

    /// Rolls back and waits until that is done, even in a task that is cancelled.
    func rollback() async {
        close()
        if case .rollingBack(let query) = state { _ = await query.settled() }
    }

    /// Rolls back without waiting; the connection goes back to the pool when the server has answered.
    func close() {
        switch state {
        case .fresh: return finish()
        case .active, .failed: break
        case .committing, .rollingBack, .ended: return
        }
        guard let connection, connection.isOpen else { return finish() }
        let rollback = PendingQuery()
        state = .rollingBack(rollback)
        rollback.onAnswer = { result in
            // Without a rollback for certain, the connection is of no use to anyone.
            if case .failure(let error) = result { connection.lose(error) }
            self.finish()
            return result
        }
        connection.send(rollback, .rollback, &none, isShared: false)
    }

    private func finish() {
        if case .ended = state { return }
        state = .ended
        timer?.cancel()
        timer = nil
        giveBack()
    }

    private func giveBack() {
        if let connection { pool.release(connection) }
        connection = nil
    }

    // MARK: The deadline

    func expire(at deadline: ContinuousClock.Instant) {
        timer = Loop.schedule(at: deadline) { [weak self] in self?.deadlinePassed() }
    }

    /// Gives the transaction up. The loss of its connection makes the server roll it back, whatever it is doing.
    private func deadlinePassed() {
        let error = PostgresError(.deadlineExceeded, "the transaction's deadline passed")
        switch state {
        case .fresh:
            state = .failed(error)
            giveBack()
        case .active:
            state = .failed(error)
            connection?.lose(error)
        case .failed, .committing, .rollingBack:
            connection?.lose(error)
        case .ended:
            break
        }
    }
}
