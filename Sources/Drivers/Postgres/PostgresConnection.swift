internal import CPostgres
internal import Reactor

/// An open connection in pipeline mode, driven by the event loop.
///
/// Statements that are sent in one turn of the loop leave at its end. `lose` is the only way in which a
/// connection ends.
@Loop final class PostgresConnection {
    /// The connection's place in the pool.
    let slot: Int
    let handle: PostgresHandle
    /// Fires when the connection ends.
    let ended = Signal()
    private(set) var isOpen = true
    /// `nil` after the connection has ended, which breaks the reference cycle with the pool.
    private(set) var pool: PostgresPool?
    var pipeline = Pipeline<PendingQuery>()
    var prepared = PreparedTable()
    /// The statements that were sent since the last sync.
    var segment: Segment = .empty
    /// The result of an autocommit statement whose commit is not confirmed yet.
    var uncommittedResult: ResultHandle?
    /// The number of the last query whose deadline passed before the server answered it.
    var overdueQuery: UInt64?
    /// Whether the pool will call ``finishTurn()`` at the end of this turn.
    var needsFlush = false
    var isCorked = false
    private var watch: LoopWatch?
    private var interest: Readiness = .readable

    enum Segment {
        case empty
        /// One statement that commits by itself. The next statement needs a sync before it.
        case autocommit
        /// Statements of a transaction.
        case transaction
    }

    /// Takes over a handle that is connected.
    ///
    /// - Throws: ``PostgresError`` if libpq refuses pipeline mode or the loop cannot watch the socket.
    init(_ handle: PostgresHandle, slot: Int, pool: PostgresPool) throws(PostgresError) {
        self.handle = handle
        self.slot = slot
        self.pool = pool
        guard PQenterPipelineMode(handle.pointer) == 1 else {
            throw PostgresError(.connectFailed, handle.message)
        }
        do {
            watch = try Loop.watch(handle.descriptor, for: .readable) { self.socketIsReady($0) }
        } catch {
            throw PostgresError(.connectFailed, error.description)
        }
    }

    /// Ends the connection. Every query in flight fails with the error. A second call does nothing.
    func lose(_ error: PostgresError) {
        guard isOpen else { return }
        isOpen = false
        watch?.cancel()
        watch = nil
        handle.close()
        let pool = pool
        self.pool = nil
        // The pool comes first, because the owner of a failed query may ask it for another connection at once.
        pool?.connectionEnded(self, error)
        for query in pipeline.drain() { query.finish(.failure(error)) }
        ended.fire()
    }

    /// Ends the connection with libpq's last error message.
    func loseForError() {
        lose(PostgresError(.connectionLost, handle.message))
    }

    private func socketIsReady(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        guard isOpen, !readiness.isDisjoint(with: [.readable, .failed]) else { return }
        // After a failure libpq makes results up. The results that the server did send were taken in earlier
        // calls.
        guard PQconsumeInput(handle.pointer) == 1 else { return loseForError() }
        receive()
        if isOpen, PQstatus(handle.pointer) == CONNECTION_BAD { loseForError() }
    }

    /// Writes as much output as the socket takes, and watches for room if some is left.
    func flush() {
        guard isOpen else { return }
        let left = PQflush(handle.pointer)
        guard left >= 0 else { return loseForError() }
        // Input is read while output waits, because the server may read nothing until it has written its results
        // (libpq manual, "Pipeline Mode").
        let wanted: Readiness = left == 1 ? [.readable, .writable] : .readable
        guard wanted != interest else { return }
        interest = wanted
        do {
            try watch?.change(to: wanted)
        } catch {
            lose(PostgresError(.connectionLost, error.description))
        }
    }
}
