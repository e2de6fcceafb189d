internal import CPostgres
internal import Reactor

/// An open connection in pipeline mode on the event loop.
///
/// Statements that are sent in one turn of the loop are written to the socket at the end of the turn. Every connection
/// is closed through ``close(failingWith:)``.
@Loop final class PostgresConnection {
    /// The connection's index in the pool.
    let slot: Int
    let handle: PostgresHandle
    /// Fires when the connection is closed.
    let ended = Signal()
    private(set) var isOpen = true
    /// `nil` after the connection is closed. This breaks the reference cycle with the pool.
    private(set) var pool: PostgresPool?
    var pipeline = Pipeline<PendingQuery>()
    var prepared = PreparedTable()
    /// The kind of statements that were sent since the last sync.
    var segment: Segment = .empty
    /// The result of an autocommit statement whose commit is not confirmed yet.
    var uncommittedResult: ResultHandle?
    /// The number of the last query whose deadline passed before the server answered it.
    var overdueQuery: UInt64?
    /// Whether the server refuses writes in this session.
    var isReadOnly: Bool
    /// Whether the connection gets no new statements, and is closed when it is idle.
    private(set) var isRetired = false
    /// The number of consecutive periods in which a statement waited and the server sent nothing.
    private(set) var silentPeriods = 0
    /// Whether the server has sent something in this period.
    private(set) var hasReceivedInPeriod = false
    /// Whether the pool will call ``finishTurn()`` at the end of this turn.
    var needsFlush = false
    var isCorked = false
    private var watch: LoopWatch?
    private var interest: Readiness = .readable

    enum Segment {
        case empty
        /// One statement that commits by itself. A sync must be sent before the next statement.
        case autocommit
        /// Statements of a transaction.
        case transaction
    }

    /// Takes over a connected handle.
    ///
    /// - Throws: ``PostgresError`` if libpq refuses pipeline mode or the loop cannot watch the socket.
    init(_ handle: PostgresHandle, slot: Int, pool: PostgresPool) throws(PostgresError) {
        self.handle = handle
        self.slot = slot
        self.pool = pool
        isReadOnly = handle.isReadOnly
        guard PQenterPipelineMode(handle.pointer) == 1 else {
            throw PostgresError(.connectFailed, handle.message)
        }
        do {
            watch = try Loop.watch(handle.descriptor, for: .readable) { self.socketIsReady($0) }
        } catch {
            throw PostgresError(.connectFailed, error.description)
        }
    }

    /// Closes the connection. Every query in flight fails with the error. A second call does nothing.
    func close(failingWith error: PostgresError) {
        guard isOpen else { return }
        isOpen = false
        watch?.cancel()
        watch = nil
        handle.close()
        let pool = pool
        self.pool = nil
        // The pool removes this connection first, because the owner of a failed query may ask the pool for another
        // connection at once.
        pool?.connectionEnded(self, error)
        for query in pipeline.drain() { query.finish(.failure(error)) }
        ended.fire()
    }

    /// Closes the connection. Every query in flight fails with libpq's last error message.
    func closeWithLibraryError() {
        close(failingWith: PostgresError(.connectionLost, handle.message))
    }

    /// Closes the connection as soon as no statement is in flight and no transaction has leased it. Until then, the
    /// pool sends no new statements over it.
    func retire() {
        guard isOpen, !isRetired else { return }
        isRetired = true
        pool?.pauseUse(of: self)
        closeIfRetired()
    }

    /// Closes the connection if it is retired and idle.
    func closeIfRetired() {
        guard isOpen, isRetired, pipeline.isEmpty, pool?.isLeased(self) == false else { return }
        close(failingWith: PostgresError(.connectionLost, "the server refuses writes in this session"))
    }

    /// Ends a period of the pool's liveness checks.
    ///
    /// - Returns: whether the server has sent something in this period.
    func endPeriod() -> Bool {
        defer { hasReceivedInPeriod = false }
        silentPeriods = hasReceivedInPeriod || pipeline.isEmpty ? 0 : silentPeriods + 1
        return hasReceivedInPeriod
    }

    /// Counts the silent periods from 0 again, because the server has answered a check.
    func restartSilence() {
        silentPeriods = 0
    }

    private func socketIsReady(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        guard isOpen, !readiness.isDisjoint(with: [.readable, .failed]) else { return }
        // If reading fails, PQgetResult would return error results that libpq makes itself. They are not read: earlier
        // calls have read all results of the server.
        guard PQconsumeInput(handle.pointer) == 1 else { return closeWithLibraryError() }
        hasReceivedInPeriod = true
        receive()
        if isOpen, PQstatus(handle.pointer) == CONNECTION_BAD { closeWithLibraryError() }
    }

    /// Writes as much output as the socket accepts. If output is left, continues when the socket is writable.
    func flush() {
        guard isOpen else { return }
        let flushResult = PQflush(handle.pointer)
        guard flushResult >= 0 else { return closeWithLibraryError() }
        // Input is also read while output is left, because the server may read no further input until it has written
        // its results (libpq manual, "Pipeline Mode").
        let wanted: Readiness = flushResult == 1 ? [.readable, .writable] : .readable
        guard wanted != interest else { return }
        interest = wanted
        do {
            try watch?.change(to: wanted)
        } catch {
            close(failingWith: PostgresError(.connectionLost, error.description))
        }
    }
}
