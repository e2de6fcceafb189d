internal import Reactor

/// A task that waits for a connection of its own: answered once, by a lease, its deadline or its cancellation.
@Loop final class LeaseWaiter {
    private let waiter = Waiter()
    private(set) var answer: Result<Lease, PostgresError>?

    func finish(_ result: Result<Lease, PostgresError>) {
        guard answer == nil else { return }
        answer = result
        waiter.finish()
    }

    func wait() async {
        await waiter.wait()
    }
}

extension PostgresPool {
    /// Begins a transaction, waiting for a connection if all are taken, in the order of asking.
    ///
    /// - Parameter deadline: when to give up waiting, and when to give up the whole transaction, which is then rolled back;
    ///   by default after the pool's patience.
    /// - Throws: ``PostgresError`` with the codes ``PostgresError/Code/unavailable``,
    ///   ``PostgresError/Code/deadlineExceeded`` or ``PostgresError/Code/cancelled``.
    package func begin(deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) -> Transaction {
        let deadline = deadline ?? ContinuousClock.now + patience
        let ticket = ticket()
        switch state.placeLease(ticket) {
        case .slot(let slot):
            return Transaction(Lease(connections[slot], pool: self, deadline: deadline))
        case .wait:
            // Known before anything is awaited, a call on the same actor included: the task may be suspended there, and a
            // connection that comes free meanwhile finds who waits for it.
            let waiter = LeaseWaiter()
            leaseWaiters[ticket] = waiter
            let lease = try await waitForLease(waiter, ticket, until: deadline)
            lease.expire(at: deadline)
            return Transaction(lease)
        case .refuse:
            throw refusal
        }
    }

    private func waitForLease(_ waiter: LeaseWaiter, _ ticket: UInt64, until deadline: ContinuousClock.Instant)
        async throws(PostgresError) -> Lease
    {
        let timer = Loop.schedule(at: deadline) { [weak self] in
            self?.withdrawLease(ticket, PostgresError(.deadlineExceeded, "no connection became free in time"))
        }
        await withTaskCancellationHandler {
            await waiter.wait()
        } onCancel: {
            Loop.perform { self.withdrawLease(ticket, PostgresError(.cancelled, "the waiting task was cancelled")) }
        }
        timer.cancel()
        guard let answer = waiter.answer else { throw refusal }
        return try answer.get()
    }

    private func withdrawLease(_ ticket: UInt64, _ error: PostgresError) {
        guard let waiter = leaseWaiters.removeValue(forKey: ticket) else { return }
        state.withdraw(ticket)
        waiter.finish(.failure(error))
        settle()
    }

    func grant(_ ticket: UInt64, _ slot: Int) {
        guard let waiter = leaseWaiters.removeValue(forKey: ticket) else { return state.released(slot) }
        waiter.finish(.success(Lease(connections[slot], pool: self, deadline: nil)))
    }

    /// Takes a connection back, if it is still the one that was given.
    func release(_ connection: Connection) {
        guard connections[connection.slot] === connection else { return }
        state.released(connection.slot)
        settle()
    }
}
