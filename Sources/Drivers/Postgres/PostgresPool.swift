package import Logging
package import Reactor

/// A pool of connections to one database. Each connection carries several statements at a time in a pipeline.
///
/// The pool is connected while `run()` runs. Statements outside transactions (`query`, `send`) commit one by one and
/// share the connections. A transaction (`begin`) leases a connection until it ends.
@Loop package final class PostgresPool {
    /// Whether the pool accepts statements.
    package enum Availability: Sendable, Hashable {
        /// No connection is open. At least one connection is being opened, and no attempt to open it has failed yet.
        /// Statements wait.
        case connecting
        /// At least one connection is open.
        case available
        /// No connection is open, and the last attempt to open each connection has failed. Statements fail at once.
        case unavailable
        /// The pool is closing or closed. It cannot be opened again.
        case closed
    }

    /// A statement that waits for a connection.
    struct QueuedQuery {
        let query: PendingQuery
        let statement: Statement
        var parameters: ParameterBuffer
    }

    nonisolated let url: @Sendable () throws -> String
    nonisolated let log: Logger
    /// The time limit of statements and transactions without a deadline.
    nonisolated let timeout: Duration
    var state: PoolState
    /// The connections by their slots; `nil` while a slot connects.
    var connections: [PostgresConnection?]
    var queuedQueries: [UInt64: QueuedQuery] = [:]
    var leaseWaiters: [UInt64: Waiter<Result<PostgresConnection?, PostgresError>>] = [:]
    /// The parameters of the next statement, in a buffer that is reused.
    var parameters = ParameterBuffer()
    /// The connections to flush at the end of this turn.
    private var unflushed: [PostgresConnection] = []
    /// The connections that are being flushed, in an array that is reused.
    private var flushing: [PostgresConnection] = []
    /// Fires when the pool is closing and no statement or transaction is in flight or waiting.
    let drained = Signal()
    /// Fires when the connections must be closed.
    let closed = Signal()
    /// Fires when `run()` returns.
    let ended = Signal()
    var isRunning = false
    /// The error of the last attempt to connect.
    var connectError: PostgresError?
    /// Delays between replacements of connections on which the server refuses writes.
    var readOnlyBackoff = Backoff(.milliseconds(200) ... .seconds(2))
    /// The slot whose read-only connection is replaced, to find out whether the database accepts writes again; `nil` if
    /// no connection is known to be read-only.
    var probingSlot: Int?
    private var lastTicket: UInt64 = 0
    private var lastAvailability = Availability.connecting

    /// Called when ``availability`` has changed.
    package var onAvailabilityChange: (@Loop () -> Void)?

    /// Whether the pool accepts statements now.
    package var availability: Availability { state.availability }

    /// Makes a pool. It connects when `run()` is called. Statements that are sent earlier wait.
    ///
    /// - Parameters:
    ///   - url: `postgres://user:password@host:port/database?sslmode=…`, or another connection string of libpq. If no
    ///     `sslmode` is set, it is `verify-full`, unless each host is a loopback address, `localhost` or a Unix socket.
    ///     Evaluated for each connection, so that a new password is used.
    ///   - size: the number of connections, at least one.
    ///   - timeout: the time limit of statements and transactions without a deadline.
    ///   - log: receives a line for each connection that is made or lost.
    package nonisolated init(
        url: @autoclosure @escaping @Sendable () throws -> String, size: Int, timeout: Duration = .seconds(30),
        log: Logger
    ) {
        self.url = url
        self.log = log
        self.timeout = timeout
        state = PoolState(size: size)
        connections = Array(repeating: nil, count: max(1, size))
    }

    /// Returns a new ticket, which stands for a waiting statement or transaction in the pool's state.
    func nextTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    /// Assigns free connections to waiting statements and transactions.
    func serveWaiting() {
        while let assignment = state.next() {
            switch assignment {
            case .query(let ticket, let slot): sendQueued(ticket, slot)
            case .lease(let ticket, let slot): grantLease(ticket, slot)
            }
        }
        if state.isClosing, state.isDrained { drained.fire() }
    }

    // MARK: End of turn

    func flushAtEndOfTurn(_ connection: PostgresConnection) {
        unflushed.append(connection)
    }

    func finishTurn() {
        guard !unflushed.isEmpty else { return }
        swap(&unflushed, &flushing)
        for connection in flushing { connection.finishTurn() }
        flushing.removeAll(keepingCapacity: true)
    }

    // MARK: Events of connections

    func finishedQuery(on connection: PostgresConnection) {
        state.finishedQuery(connection.slot)
        serveWaiting()
    }

    /// Sends no new statements over a connection until ``resumeUse(of:)``.
    func pauseUse(of connection: PostgresConnection) {
        state.setPaused(connection.slot, true)
    }

    func resumeUse(of connection: PostgresConnection) {
        state.setPaused(connection.slot, false)
        serveWaiting()
    }

    func connectionEnded(_ connection: PostgresConnection, _ error: PostgresError) {
        guard connections[connection.slot] === connection else { return }
        connections[connection.slot] = nil
        state.lost(connection.slot)
        if !state.isClosing {
            // Read-only connections are replaced until the outage ends, and the beginning of the outage was logged.
            log.log(
                level: connection.isRetired ? .debug : .warning, "connection to the database lost",
                metadata: ["connection": "\(connection.slot)", "error": "\(error)"])
        }
        reportAvailability()
        serveWaiting()
    }

    func reportAvailability() {
        guard availability != lastAvailability else { return }
        lastAvailability = availability
        onAvailabilityChange?()
    }
}
