internal import Reactor

extension PostgresPool {
    /// Begins a transaction. If all connections are leased, waits for one; transactions wait in the order of
    /// their calls.
    ///
    /// - Parameter deadline: the deadline of the wait and of the transaction, which is rolled back when it
    ///   passes. The default is the pool's timeout from now.
    /// - Throws: ``PostgresError`` with the codes `unavailable`, `deadlineExceeded` or `cancelled`.
    package func begin(deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) -> Transaction {
        let deadline = deadline ?? ContinuousClock.now + timeout
        let ticket = nextTicket()
        switch state.placeLease(ticket) {
        case .slot(let slot):
            return Transaction(Transaction.Core(connections[slot], pool: self, deadline: deadline))
        case .wait:
            // Registered before the first suspension, even that of a call on the same actor, because a connection
            // that becomes free meanwhile is assigned to a registered waiter.
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
        // A wait that has ended takes no connection: its task is about to continue without one.
        guard let waiter = leaseWaiters.removeValue(forKey: ticket), !waiter.isEnded else {
            return state.released(slot)
        }
        waiter.resume(returning: .success(connections[slot]))
    }

    /// Takes a leased connection back, unless it was replaced meanwhile.
    func release(_ connection: PostgresConnection) {
        guard connections[connection.slot] === connection else { return }
        state.released(connection.slot)
        serveWaiting()
    }
}
