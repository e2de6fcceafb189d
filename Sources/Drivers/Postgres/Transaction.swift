package import Reactor

/// A transaction, with a connection of the pool to itself until it is committed or rolled back.
///
/// `BEGIN` travels with the first statement, and what is sent before `commit()` without being awaited travels with the
/// commit: begin, statements and commit are then one round trip. End it on every path, with `defer { transaction.close() }`
/// for instance; one that is let go of is rolled back.
@Loop package final class Transaction {
    private nonisolated let lease: Lease

    init(_ lease: Lease) {
        self.lease = lease
    }

    deinit {
        let lease = lease
        Loop.perform { lease.close() }
    }

    /// Sends a statement without waiting for its answer. The first one that fails takes the whole transaction with it:
    /// those after it fail with ``PostgresError/Code/aborted``, and so does the commit.
    ///
    /// - Parameters:
    ///   - statement: one SQL command; not one that ends the transaction.
    ///   - parameters: the values for `$1`, `$2`, ….
    @discardableResult
    package func send<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter
    ) -> PendingQuery {
        lease.parameters.removeAll()
        repeat (each parameters).encode(into: &lease.parameters)
        return lease.send(statement)
    }

    /// Sends a statement and waits for its answer.
    ///
    /// - Throws: ``PostgresError``; the transaction has then failed, and `commit()` will throw.
    package func query<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter
    ) async throws(PostgresError) -> Rows {
        try await send(statement, repeat each parameters).rows()
    }

    /// Commits, and gives the connection back; a transaction without statements costs nothing.
    ///
    /// Waits for the outcome even in a task that is cancelled, until the transaction's deadline.
    ///
    /// - Throws: ``PostgresError`` where nothing was committed, with the first failure of a statement as its cause; with
    ///   ``PostgresError/Code/outcomeUnknown`` where the connection broke or the deadline passed meanwhile.
    package func commit() async throws(PostgresError) {
        try await lease.commit()
    }

    /// Rolls back, and gives the connection back once that is done; does nothing once the transaction has ended.
    package func rollback() async {
        await lease.rollback()
    }

    /// Rolls back without waiting for it; does nothing once the transaction has ended.
    package func close() {
        lease.close()
    }
}
