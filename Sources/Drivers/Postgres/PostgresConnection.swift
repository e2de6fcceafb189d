internal import CPostgres
internal import Reactor

/// One open connection in pipeline mode, driven by the loop.
///
/// What is sent in a turn of the loop leaves at the end of that turn. It ends in one way only: `lose`.
@Loop final class Connection {
    let slot: Int
    let handle: ConnectionHandle
    /// Opens when the connection is lost or closed.
    let ended = Latch()
    private(set) var isOpen = true
    /// Cleared when the connection ends, which breaks the cycle between the two.
    private(set) var pool: PostgresPool?
    var pipeline = Pipeline<PendingQuery>()
    var prepared = PreparedTable()
    /// Whether statements were sent since the last sync, and whether they are shared.
    var segment: Segment = .none
    /// The answer of the shared statement whose commit is awaited.
    var held: ResultHandle?
    var overdue: UInt64?
    var isDirty = false
    var isCorked = false
    private var watch: LoopWatch?
    private var interest: Readiness = .readable

    enum Segment {
        case none
        /// A statement that commits by itself: the next one needs a sync before it.
        case shared
        /// Statements of a transaction.
        case leased
    }

    /// Takes over a handle that is connected.
    ///
    /// - Throws: ``PostgresError`` where pipeline mode or the loop refuses it.
    init(_ handle: ConnectionHandle, slot: Int, pool: PostgresPool) throws(PostgresError) {
        self.handle = handle
        self.slot = slot
        self.pool = pool
        guard PQenterPipelineMode(handle.pointer) == 1 else {
            throw PostgresError(.connectFailed, handle.message)
        }
        do {
            watch = try Loop.watch(handle.descriptor, for: .readable) { self.ready($0) }
        } catch {
            throw PostgresError(.connectFailed, error.description)
        }
    }

    /// Ends the connection: every query under way fails with the error. A second call does nothing.
    func lose(_ error: PostgresError) {
        guard isOpen else { return }
        isOpen = false
        watch?.cancel()
        watch = nil
        handle.close()
        let pool = pool
        self.pool = nil
        // The pool first: whoever is told below may ask it for another connection at once.
        pool?.connectionEnded(self, error)
        for query in pipeline.drain() { query.finish(.failure(error)) }
        ended.open()
    }

    func loseForError() {
        lose(PostgresError(.connectionLost, handle.message))
    }

    private func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        guard isOpen, !readiness.isDisjoint(with: [.readable, .failed]) else { return }
        // Once the connection is broken libpq makes results up; all that the server did send has been taken before.
        guard PQconsumeInput(handle.pointer) == 1 else { return loseForError() }
        receive()
        if isOpen, PQstatus(handle.pointer) == CONNECTION_BAD { loseForError() }
    }

    /// Hands to the kernel what it takes, and asks to be told when it takes more.
    func flush() {
        guard isOpen else { return }
        let left = PQflush(handle.pointer)
        guard left >= 0 else { return loseForError() }
        // While output waits, input must be read as well: the server may be unable to read until it has written.
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
