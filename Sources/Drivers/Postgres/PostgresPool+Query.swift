internal import Reactor

extension PostgresPool {
    /// Sends a statement that commits by itself, without waiting for its result.
    ///
    /// The statements of one turn of the loop are sent together. A failed statement does not affect the others. Two
    /// statements can use different connections, so the server can carry them out in any order.
    ///
    /// - Parameters:
    ///   - statement: one SQL command.
    ///   - parameters: the values for `$1`, `$2`, ….
    ///   - deadline: the time at which the statement fails with the code `deadlineExceeded`. The default is now plus
    ///     the pool's timeout.
    package func send<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter, deadline: ContinuousClock.Instant? = nil
    ) -> PendingQuery {
        self.parameters.removeAll()
        repeat (each parameters).encode(into: &self.parameters)
        return send(statement, deadline: deadline ?? ContinuousClock.now + timeout)
    }

    /// Sends a statement that commits by itself, and waits for its result.
    ///
    /// - Parameters: as for ``send(_:_:deadline:)``.
    /// - Throws: ``PostgresError``. If the code is `unavailable`, the statement was not sent.
    package func query<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter, deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> Rows {
        try await send(statement, repeat each parameters, deadline: deadline).rows()
    }

    /// Sends a statement with the parameters in the pool's buffer.
    private func send(_ statement: Statement, deadline: ContinuousClock.Instant) -> PendingQuery {
        if let error = parameters.error { return PendingQuery(failed: error) }
        let query = PendingQuery()
        let ticket = nextTicket()
        switch state.placeQuery(ticket) {
        case .slot(let slot):
            send(query, statement, &parameters, slot)
        case .wait:
            query.stage = .queued(ticket)
            queuedQueries[ticket] = QueuedQuery(query: query, statement: statement, parameters: parameters)
            // The queued query now owns the arrays of the old buffer.
            parameters = ParameterBuffer()
        case .refuse:
            query.finish(.failure(unavailableError))
        }
        query.setDeadline(deadline) { [weak self] in self?.deadlinePassed($0) }
        return query
    }

    private func send(_ query: PendingQuery, _ statement: Statement, _ parameters: inout ParameterBuffer, _ slot: Int) {
        guard let connection = connections[slot] else {
            return query.finish(.failure(PostgresError(.unavailable, "the connection is closed")))
        }
        connection.send(query, statement, &parameters, isAutocommit: true)
    }

    /// Sends a statement that waited for a connection.
    func sendQueued(_ ticket: UInt64, _ slot: Int) {
        guard var queued = queuedQueries.removeValue(forKey: ticket), queued.query.result == nil else {
            // The query was cancelled while it waited for a connection.
            return state.finishedQuery(slot)
        }
        send(queued.query, queued.statement, &queued.parameters, slot)
    }

    private func deadlinePassed(_ query: PendingQuery) {
        let stage = query.stage
        query.finish(.failure(PostgresError(.deadlineExceeded, "the statement's deadline passed")))
        switch stage {
        case nil: break
        case .queued(let ticket):
            queuedQueries[ticket] = nil
            state.withdraw(ticket)
            serveWaiting()
        case .sent(let connection, let number): connection.queryIsOverdue(number)
        }
    }

    /// The error of a statement or a transaction that the pool refuses now.
    var unavailableError: PostgresError {
        switch state.availability {
        case .closed: PostgresError(.unavailable, "the pool is closed")
        case .unavailable: PostgresError(.unavailable, "no connection to the database is open", cause: connectError)
        case .connecting, .available: PostgresError(.unavailable, "too many statements or transactions are waiting")
        }
    }

    /// Fails all waiting statements and transactions.
    func failWaiting() {
        let error = unavailableError
        state.withdrawAll()
        let (queries, leases) = (queuedQueries, leaseWaiters)
        (queuedQueries, leaseWaiters) = ([:], [:])
        for queued in queries.values { queued.query.finish(.failure(error)) }
        for waiter in leases.values { waiter.resume(returning: .failure(error)) }
    }
}
