package import Logging
package import Reactor

/// A number of connections to one database, kept open, with statements pipelined over them.
///
/// `run()` is the pool's whole life. Statements by themselves (`query`, `send`) commit one by one and share connections;
/// a transaction (`begin`) has a connection to itself until it ends.
@Loop package final class PostgresPool {
    /// Whether statements can be sent.
    package enum Availability: Sendable, Hashable {
        /// No connection is open, but one is being made: statements wait for it.
        case connecting
        /// At least one connection is open.
        case available
        /// None is open and the last attempts failed: statements fail at once.
        case unavailable
        /// The pool is closing or closed, for good.
        case closed
    }

    struct Queued {
        let query: PendingQuery
        let statement: Statement
        var parameters: ParameterBuffer
    }

    nonisolated let url: String
    nonisolated let log: Logger
    /// The deadline of everything that is given none.
    nonisolated let patience: Duration
    var state: PoolState
    var connections: [Connection?]
    var queued: [UInt64: Queued] = [:]
    var leaseWaiters: [UInt64: LeaseWaiter] = [:]
    /// Reused from statement to statement.
    var parameters = ParameterBuffer()
    /// The connections that were sent something in this turn, and the array for the next turn.
    var dirty: [Connection] = []
    var finishing: [Connection] = []
    let drained = Latch()
    let closed = Latch()
    let ended = Latch()
    var isRunning = false
    /// Why the last attempt to connect failed.
    var connectError: PostgresError?
    private var nextTicket: UInt64 = 0

    /// Whether statements can be sent now.
    package var availability: Availability { state.availability }

    /// Makes a pool; nothing is opened before `run()`, though statements may be sent before it and then wait.
    ///
    /// - Parameters:
    ///   - url: `postgres://user:password@host:port/database?sslmode=…`, or any other connection string of libpq.
    ///   - size: how many connections to keep open, at least one.
    ///   - patience: the deadline of statements and transactions that are given none.
    ///   - log: where connections made and lost are told of.
    package nonisolated init(url: String, size: Int, patience: Duration = .seconds(30), log: Logger) {
        self.url = url
        self.log = log
        self.patience = patience
        state = PoolState(size: size)
        connections = Array(repeating: nil, count: max(1, size))
    }

    func ticket() -> UInt64 {
        nextTicket += 1
        return nextTicket
    }

    /// Serves those who wait, as far as the state allows now, and notices when there is nothing left to wait for.
    func settle() {
        while let assignment = state.next() {
            switch assignment {
            case .query(let ticket, let slot): sendQueued(ticket, slot)
            case .lease(let ticket, let slot): grant(ticket, slot)
            }
        }
        if state.isClosing, state.isDrained { drained.open() }
    }

    // MARK: Told by connections

    func addDirty(_ connection: Connection) {
        dirty.append(connection)
    }

    func finishTurn() {
        guard !dirty.isEmpty else { return }
        swap(&dirty, &finishing)
        for connection in finishing { connection.finishTurn() }
        finishing.removeAll(keepingCapacity: true)
    }

    func finishedQuery(on connection: Connection) {
        state.finishedQuery(connection.slot)
        settle()
    }

    func suspect(_ connection: Connection) {
        state.suspect(connection.slot, true)
    }

    func unsuspect(_ connection: Connection) {
        state.suspect(connection.slot, false)
        settle()
    }

    func connectionEnded(_ connection: Connection, _ error: PostgresError) {
        guard connections[connection.slot] === connection else { return }
        connections[connection.slot] = nil
        state.lost(connection.slot)
        if !state.isClosing {
            log.warning(
                "connection to the database lost",
                metadata: ["connection": "\(connection.slot)", "error": "\(error)"])
        }
        settle()
    }
}
