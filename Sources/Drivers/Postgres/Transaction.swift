package import Reactor

/// A transaction. It leases a connection from the pool until it is committed or rolled back.
///
/// `BEGIN` is sent with the first statement, and statements that are not awaited are sent with the commit, so
/// that begin, statements and commit can take one round trip. End the transaction on every path, for example with
/// `defer { transaction.close() }`. A transaction that is dropped is rolled back.
@Loop package final class Transaction {
    private nonisolated let core: Core

    init(_ core: Core) {
        self.core = core
    }

    deinit {
        let core = core
        Loop.perform { core.close() }
    }

    /// Sends a statement without waiting for its result.
    ///
    /// The first statement that fails aborts the transaction: later statements and the commit fail with the code
    /// `aborted`.
    ///
    /// - Parameters:
    ///   - statement: one SQL command, which must not end the transaction.
    ///   - parameters: the values for `$1`, `$2`, ….
    @discardableResult
    package func send<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter
    ) -> PendingQuery {
        core.parameters.removeAll()
        repeat (each parameters).encode(into: &core.parameters)
        return core.send(statement)
    }

    /// Sends a statement and waits for its result.
    ///
    /// - Parameters: as for ``send(_:_:)``.
    /// - Throws: ``PostgresError``. The transaction has then failed, and `commit()` will throw.
    package func query<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter
    ) async throws(PostgresError) -> Rows {
        try await send(statement, repeat each parameters).rows()
    }

    /// Commits and returns the connection to the pool. Sends nothing for a transaction without statements.
    ///
    /// Waits for the outcome until the transaction's deadline, even in a task that is cancelled.
    ///
    /// - Throws: ``PostgresError``, with the first failure of a statement as its cause. With the code
    ///   `outcomeUnknown` the connection broke or the deadline passed during the commit, so the transaction may be
    ///   committed. Otherwise nothing was committed.
    package func commit() async throws(PostgresError) {
        try await core.commit()
    }

    /// Rolls back, waits for the server's answer and returns the connection to the pool. Does nothing after the
    /// transaction has ended.
    package func rollback() async {
        await core.rollback()
    }

    /// Rolls back without waiting for the server's answer. Does nothing after the transaction has ended.
    package func close() {
        core.close()
    }
}
