internal import Reactor

extension PostgresPool {
    /// Begins a transaction. If all connections are leased, waits until one is free. Waiting transactions get
    /// connections in the order of their calls.
    ///
    /// - Parameter deadline: the deadline of the wait and of the transaction. A transaction that has not ended by then
    ///   is rolled back. The default is now plus the pool's timeout.
    /// - Throws: ``PostgresError`` with the codes `unavailable`, `deadlineExceeded` or `cancelled`.
    package func begin(deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) -> Transaction {
        let deadline = deadline ?? ContinuousClock.now + timeout
        let ticket = nextTicket()
        switch state.placeLease(ticket) {
        case .slot(let slot):
            return Transaction(Transaction.Core(connections[slot], pool: self, deadline: deadline))
        case .wait:
            // The waiter is registered before the first suspension point (an async call on the same actor is one),
            // because a connection that becomes free is assigned only to a registered waiter.
            let waiter = Waiter<Result<PostgresConnection?, PostgresError>>()
            leaseWaiters[ticket] = waiter
            let connection = try await waitForLease(waiter, ticket, until: deadline)
            return Transaction(Transaction.Core(connection, pool: self, deadline: deadline))
        case .refuse:
            throw unavailableError
        }
    }

    private func waitForLease(
        _ waiter: Waiter<Result<PostgresConnection?, PostgresError>>, _ ticket: UInt64,
        until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> PostgresConnection? {
        if let result = await waiter.wait(until: deadline) { return try result.get() }
        leaseWaiters[ticket] = nil
        state.withdraw(ticket)
        serveWaiting()
        throw Task.isCancelled
            ? PostgresError(.cancelled, "the waiting task was cancelled")
            : PostgresError(.deadlineExceeded, "no connection became free in time")
    }

    /// Leases the connection of a slot to a waiting transaction.
    func grantLease(_ ticket: UInt64, _ slot: Int) {
        // If the wait has ended, its task is about to continue without a connection.
        guard let waiter = leaseWaiters.removeValue(forKey: ticket), !waiter.isEnded else {
            return state.released(slot)
        }
        waiter.resume(returning: .success(connections[slot]))
    }

    /// Makes a leased connection free again. Does nothing if the connection was replaced meanwhile.
    func release(_ connection: PostgresConnection) {
        guard connections[connection.slot] === connection else { return }
        state.released(connection.slot)
        connection.closeIfRetired()
        serveWaiting()
    }
}
