package import Reactor

/// A transaction, with a connection of the pool to itself until it is committed or rolled back.
///
/// `BEGIN` travels with the first statement, and what is sent before `commit()` without being awaited travels with the
/// commit: begin, statements and commit are then one round trip.
@Loop package final class Transaction {
    init() {}

    /// Sends a statement without waiting for its answer. The first one that fails takes the whole transaction with it:
    /// those after it fail with ``PostgresError/Code/aborted``, and so does the commit.
    package func send<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter
    ) -> PendingQuery {
        PendingQuery()
    }

    /// Sends a statement and waits for its answer.
    package func query<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter
    ) async throws(PostgresError) -> Rows {
        try await send(statement, repeat each parameters).rows()
    }

    /// Commits, and gives the connection back; a transaction without statements costs nothing.
    ///
    /// - Throws: ``PostgresError`` where nothing was committed, with the first failure of a statement as its cause; with
    ///   ``PostgresError/Code/outcomeUnknown`` where the connection broke or the deadline passed meanwhile.
    package func commit() async throws(PostgresError) {
    }

    /// Rolls back, and gives the connection back; does nothing once the transaction has ended.
    package func rollback() {
    }
}
