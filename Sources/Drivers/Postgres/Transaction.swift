package import Reactor

/// A transaction. It leases a connection from the pool until it is committed or rolled back.
///
/// `BEGIN` is sent with the first statement. Statements that are not awaited are sent together with the commit. Begin,
/// statements and commit can therefore take one round trip. End the transaction on every path, for example with
/// `defer { transaction.close() }`. A transaction that is released before it has ended is rolled back.
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

    /// Commits and returns the connection to the pool. If no statement was sent, only returns the connection.
    ///
    /// Waits for the outcome until the transaction's deadline, even in a task that is cancelled.
    ///
    /// - Throws: ``PostgresError``. If a statement has failed, the code is `aborted`, and the first failure is the
    ///   cause. The code `outcomeUnknown` means that the connection broke or the deadline passed during the commit, so
    ///   the transaction may or may not be committed. With every other code nothing was committed.
    package func commit() async throws(PostgresError) {
        try await core.commit()
    }

    /// Rolls back, waits until the server has answered, and returns the connection to the pool. Does nothing if the
    /// transaction has ended.
    package func rollback() async {
        await core.rollback()
    }

    /// Rolls back without waiting for the server's answer. Does nothing if the transaction has ended.
    package func close() {
        core.close()
    }
}
