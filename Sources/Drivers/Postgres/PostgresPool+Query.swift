internal import Reactor

extension PostgresPool {
    /// Sends a statement that commits by itself, without waiting for its answer.
    ///
    /// Statements of one turn of the loop travel together, and an error in one does not touch the others. Two statements
    /// may go over different connections and be carried out in any order.
    ///
    /// - Parameters:
    ///   - statement: one SQL command.
    ///   - parameters: the values for `$1`, `$2`, ….
    ///   - deadline: when to give up; by default after the pool's patience.
    package func send<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter, deadline: ContinuousClock.Instant? = nil
    ) -> PendingQuery {
        self.parameters.removeAll()
        repeat (each parameters).encode(into: &self.parameters)
        return send(statement, deadline: deadline ?? ContinuousClock.now + patience)
    }

    /// Sends a statement that commits by itself, and waits for its answer.
    ///
    /// - Parameters: as of ``send(_:_:deadline:)``.
    /// - Throws: ``PostgresError``; with ``PostgresError/Code/unavailable`` nothing was sent.
    package func query<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter, deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> Rows {
        try await send(statement, repeat each parameters, deadline: deadline).rows()
    }

    /// Sends a statement with the parameters that are in the pool's buffer.
    private func send(_ statement: Statement, deadline: ContinuousClock.Instant) -> PendingQuery {
        if let fault = parameters.fault { return PendingQuery(failed: fault) }
        let query = PendingQuery()
        let ticket = ticket()
        switch state.placeQuery(ticket) {
        case .slot(let slot):
            send(query, statement, &parameters, slot)
        case .wait:
            query.place = .queued(ticket)
            queued[ticket] = Queued(query: query, statement: statement, parameters: parameters)
            // The buffer's arrays went with it.
            parameters = ParameterBuffer()
        case .refuse:
            query.finish(.failure(refusal))
        }
        query.expire(at: deadline) { [weak self] in self?.expire($0) }
        return query
    }

    private func send(_ query: PendingQuery, _ statement: Statement, _ parameters: inout ParameterBuffer, _ slot: Int) {
        guard let connection = connections[slot] else {
            return query.finish(.failure(PostgresError(.unavailable, "the connection is gone")))
        }
        connection.send(query, statement, &parameters, isShared: true)
    }

    func sendQueued(_ ticket: UInt64, _ slot: Int) {
        guard var waiting = queued.removeValue(forKey: ticket), waiting.query.answer == nil else {
            // It was cancelled while it waited.
            return state.finishedQuery(slot)
        }
        send(waiting.query, waiting.statement, &waiting.parameters, slot)
    }

    private func expire(_ query: PendingQuery) {
        let place = query.place
        query.finish(.failure(PostgresError(.deadlineExceeded, "the deadline passed")))
        switch place {
        case .nowhere: break
        case .queued(let ticket):
            queued[ticket] = nil
            state.withdraw(ticket)
            settle()
        case .sent(let connection, let number): connection.overdue(number)
        }
    }

    /// Why nothing is taken now.
    var refusal: PostgresError {
        switch state.availability {
        case .closed: PostgresError(.unavailable, "the pool is closed")
        case .unavailable: PostgresError(.unavailable, "no connection to the database", cause: connectError)
        case .connecting, .available: PostgresError(.unavailable, "too much waits for a connection already")
        }
    }

    /// Fails everything that waits for a connection.
    func refuseWaiting() {
        let refusal = refusal
        state.withdrawAll()
        let (queries, leases) = (queued, leaseWaiters)
        (queued, leaseWaiters) = ([:], [:])
        for waiting in queries.values { waiting.query.finish(.failure(refusal)) }
        for waiter in leases.values { waiter.finish(.failure(refusal)) }
    }
}
