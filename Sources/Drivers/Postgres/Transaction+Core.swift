internal import Reactor

extension Transaction {
    /// The state of a transaction and the connection that it leases.
    ///
    /// It is separate from ``Transaction`` because it outlives it: a transaction that is dropped is rolled back.
    @Loop final class Core {
        enum State {
            /// Nothing was sent, not even `BEGIN`.
            case fresh
            case active
            /// A statement failed or could not be sent, so the transaction can only be rolled back.
            case failed(PostgresError)
            case committing
            /// `ROLLBACK` was sent and is not answered yet.
            case rollingBack(PendingQuery)
            case ended
        }

        private(set) var state = State.fresh
        /// The first failure of a statement, which causes the others. The server does not name it for statements
        /// that were sent in a later turn.
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
            case .committing, .rollingBack, .ended: return PendingQuery(failed: Self.hasEnded())
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

        /// Records a failure, and returns it with the failure that caused it.
        private func recordFailure(_ result: Result<Rows, PostgresError>) -> Result<Rows, PostgresError> {
            guard case .failure(let reported) = result else { return result }
            let error = reported.lacksCause ? firstFailure.map { .aborted(by: $0) } ?? reported : reported
            // A cancellation ends the wait and not the statement, so a later failure replaces it.
            if firstFailure == nil || firstFailure?.code == .cancelled { firstFailure = error }
            switch state {
            case .fresh, .active: state = .failed(error)
            case .failed, .committing, .rollingBack, .ended: break
            }
            return .failure(error)
        }

        private static func hasEnded(fileID: StaticString = #fileID, line: UInt = #line) -> PostgresError {
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
            case .committing, .rollingBack, .ended: throw Self.hasEnded()
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

        /// Rolls back and waits for the server's answer, even in a task that is cancelled.
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
                // Without a confirmed rollback the connection cannot be used again.
                if case .failure(let error) = result { connection.lose(error) }
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

        /// Ends the transaction. Losing the connection makes the server roll it back, even during a statement.
        private func deadlinePassed() {
            let error = PostgresError(.deadlineExceeded, "the transaction's deadline passed")
            switch state {
            case .fresh:
                state = .failed(error)
                returnConnection()
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
}
