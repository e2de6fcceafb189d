package import Logging
package import Reactor

/// A number of connections to one database, kept open, with statements pipelined over them.
///
/// `run()` is the pool's whole life. Statements by themselves (`query`, `send`) commit one by one and share connections;
/// a transaction (`begin`) has a connection to itself until it ends.
@Loop package final class PostgresPool {
    /// Whether statements can be sent.
    package enum Availability: Sendable, Hashable {
        /// No connection has been made yet, nor has one failed.
        case connecting
        /// At least one connection is open.
        case available
        /// None is open and the last attempts failed: statements fail at once.
        case unavailable
        /// The pool is closing or closed, for good.
        case closed
    }

    /// Whether statements can be sent now.
    package var availability: Availability { .connecting }

    /// Makes a pool; nothing is opened before `run()`.
    ///
    /// - Parameters:
    ///   - url: `postgres://user:password@host:port/database?sslmode=…`, or any other connection string of libpq.
    ///   - size: how many connections to keep open, at least one.
    ///   - log: where connections made and lost are told of.
    package init(url: String, size: Int, log: Logger) {
    }

    /// Keeps the connections open, making lost ones anew with back-off, until `close` is done or the task is cancelled.
    package func run() async {
    }

    /// Takes no more statements, waits for what is under way, and closes the connections; `run()` then returns.
    ///
    /// - Parameter limit: how long at most to wait; what is still under way then fails with
    ///   ``PostgresError/Code/connectionLost``.
    package func close(within limit: Duration) async {
    }

    /// Sends a statement that commits by itself, without waiting for its answer.
    ///
    /// Statements of one turn of the loop travel together, and an error in one does not touch the others. Two statements
    /// may go over different connections and be carried out in any order.
    ///
    /// - Parameters:
    ///   - statement: one SQL command.
    ///   - parameters: the values for `$1`, `$2`, ….
    ///   - deadline: when to give up.
    package func send<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter, deadline: ContinuousClock.Instant? = nil
    ) -> PendingQuery {
        PendingQuery()
    }

    /// Sends a statement that commits by itself, and waits for its answer.
    ///
    /// - Parameters: as of ``send(_:_:deadline:)``.
    package func query<each Parameter: PostgresEncodable>(
        _ statement: Statement, _ parameters: repeat each Parameter, deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> Rows {
        try await send(statement, repeat each parameters, deadline: deadline).rows()
    }

    /// Begins a transaction, waiting for a connection if all are taken, in the order of asking.
    ///
    /// - Parameter deadline: when to give up waiting, and when to give up the whole transaction: it is then rolled back by
    ///   the loss of its connection.
    package func begin(deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) -> Transaction {
        throw PostgresError(.unavailable, "the pool does not run")
    }
}
