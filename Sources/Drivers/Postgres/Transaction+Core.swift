internal import Reactor

extension Transaction {
    /// The state of a transaction and the connection that it leases.
    ///
    /// The core is a type of its own because it exists longer than its ``Transaction``: if the transaction is released
    /// before it has ended, the core rolls it back.
    @Loop final class Core {
        enum State {
            /// Nothing was sent, not even `BEGIN`.
            case fresh
            case active
            /// A statement failed or could not be sent, so the transaction can only be rolled back.
            case failed(PostgresError)
            case committing
            /// `ROLLBACK` was sent, and the server has not answered it yet.
            case rollingBack(PendingQuery)
            case ended
        }

        private(set) var state = State.fresh
        /// The first failure of a statement. It is the cause of the later failures. The server does not repeat it in
        /// the errors of statements that were sent in a later turn.
        private var firstFailure: PostgresError?
        /// `nil` after the connection was returned to the pool.
        private var connection: PostgresConnection?
        private let pool: PostgresPool
        private var timer: LoopTimer?
        private var noParameters = ParameterBuffer()

        init(_ connection: PostgresConnection?, pool: PostgresPool, deadline: ContinuousClock.Instant) {
            self.connection = connection
            self.pool = pool
            timer = Loop.schedule(at: deadline) { [weak self] in self?.deadlinePassed() }
        }

        /// The buffer for the parameters of the next statement.
        var parameters: ParameterBuffer {
            get { pool.parameters }
            _modify { yield &pool.parameters }
        }

        // MARK: Statements

        /// Sends a statement with the parameters in the buffer.
        func send(_ statement: Statement) -> PendingQuery {
            switch state {
            case .fresh, .active: break
            case .failed(let cause): return PendingQuery(failed: .aborted(by: cause))
            case .committing, .rollingBack, .ended: return PendingQuery(failed: Self.endedError())
            }
            if let error = parameters.error {
                state = .failed(error)
                return PendingQuery(failed: error)
            }
            let query = PendingQuery()
            query.onFinish = { [weak self] in self?.recordFailure($0) ?? $0 }
            guard let connection, connection.isOpen else {
                query.finish(.failure(PostgresError(.connectionLost, "the transaction's connection broke")))
                return query
            }
            if case .fresh = state {
                state = .active
                let begin = PendingQuery()
                begin.onFinish = { [weak self] in self?.recordFailure($0) ?? $0 }
                connection.send(begin, .begin, &noParameters, isAutocommit: false)
            }
            connection.send(query, statement, &parameters, isAutocommit: false)
            return query
        }

        /// Records a failure. Returns the result, with the first failure as its cause if the server did not name one.
        private func recordFailure(_ result: Result<Rows, PostgresError>) -> Result<Rows, PostgresError> {
            guard case .failure(let reported) = result else { return result }
            let error = reported.lacksCause ? firstFailure.map { .aborted(by: $0) } ?? reported : reported
            // A cancellation ends only the wait for a statement, not the statement. A later failure therefore replaces
            // it as the cause.
            if firstFailure == nil || firstFailure?.code == .cancelled { firstFailure = error }
            switch state {
            case .fresh, .active: state = .failed(error)
            case .failed, .committing, .rollingBack, .ended: break
            }
            return .failure(error)
        }

        private static func endedError(fileID: StaticString = #fileID, line: UInt = #line) -> PostgresError {
            PostgresError(.ended, "the transaction has ended", fileID: fileID, line: line)
        }

        // MARK: Commit and rollback

        func commit() async throws(PostgresError) {
            switch state {
            case .fresh: return finish()
            case .active: break
            case .failed(let cause):
                await rollback()
                throw .aborted(by: cause)
            case .committing, .rollingBack, .ended: throw Self.endedError()
            }
            guard let connection, connection.isOpen else {
                finish()
                throw PostgresError(.connectionLost, "the transaction's connection broke")
            }
            state = .committing
            let commit = PendingQuery()
            commit.onFinish = { [weak self] in self?.recordFailure($0) ?? $0 }
            connection.send(commit, .commit, &noParameters, isAutocommit: false)
            switch await commit.resultThroughCancellation() {
            case .success(let rows):
                finish()
                // The server rolls a failed transaction back at COMMIT and reports success, with the tag
                // ROLLBACK.
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

        /// Rolls back and waits until the server has answered, even in a task that is cancelled.
        func rollback() async {
            close()
            if case .rollingBack(let query) = state { _ = await query.resultThroughCancellation() }
        }

        /// Starts to roll back. The connection returns to the pool when the server has answered.
        func close() {
            switch state {
            case .fresh: return finish()
            case .active, .failed: break
            case .committing, .rollingBack, .ended: return
            }
            guard let connection, connection.isOpen else { return finish() }
            let rollback = PendingQuery()
            state = .rollingBack(rollback)
            rollback.onFinish = { result in
                // The connection can be used again only if the server has confirmed the rollback.
                if case .failure(let error) = result { connection.close(failingWith: error) }
                self.finish()
                return result
            }
            connection.send(rollback, .rollback, &noParameters, isAutocommit: false)
        }

        private func finish() {
            if case .ended = state { return }
            state = .ended
            timer?.cancel()
            timer = nil
            returnConnection()
        }

        private func returnConnection() {
            if let connection { pool.release(connection) }
            connection = nil
        }

        /// Fails the transaction. If statements were sent, closes the connection, because the server then rolls the
        /// transaction back, even during a statement.
        private func deadlinePassed() {
            let error = PostgresError(.deadlineExceeded, "the transaction's deadline passed")
            switch state {
            case .fresh:
                state = .failed(error)
                returnConnection()
            case .active:
                state = .failed(error)
                connection?.close(failingWith: error)
            case .failed, .committing, .rollingBack:
                connection?.close(failingWith: error)
            case .ended:
                break
            }
        }
    }
}
