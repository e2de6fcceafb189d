internal import DequeModule

/// Decides which connection a statement or a transaction gets, and whether it waits or is refused.
///
/// A pure state machine. A ticket is the number of a statement or a transaction. A slot is the index of a connection.
/// A statement outside a transaction (an autocommit statement) goes to the connection with the shortest pipeline, which
/// distributes the commits over all connections. A transaction leases a connection until it ends.
///
/// Statements and transactions wait in two queues, both first in, first out. A connection that becomes free takes
/// waiting statements up to `Limits.depth`, and is then leased to the first waiting transaction. This limit keeps
/// statements from holding back transactions for ever. A released connection takes statements before its next lease, so
/// transactions cannot hold back statements for ever.
struct PoolState {
    struct Limits {
        /// The maximum number of autocommit statements in flight on one connection.
        var depth = 64
        var waitingQueries = 1024
        var waitingLeases = 1024
    }

    enum Placement: Equatable {
        case slot(Int)
        case wait
        case refuse
    }

    enum Assignment: Equatable {
        case query(UInt64, slot: Int)
        case lease(UInt64, slot: Int)
    }

    /// The state of one connection.
    private struct Slot {
        var isOpen = false
        /// The number of attempts to connect that have failed since the slot was last open.
        var failures = 0
        var isLeased = false
        /// Whether the deadline of a statement in flight has passed. A paused connection gets no new statements and no
        /// transactions.
        var isPaused = false
        /// The number of autocommit statements in flight.
        var load = 0
    }

    private let limits: Limits
    private var slots: [Slot]
    /// The slot that was chosen last.
    private var lastSlot = 0
    private var queries: Deque<UInt64> = []
    private var leases: Deque<UInt64> = []
    private(set) var isClosing = false

    init(size: Int, limits: Limits = Limits()) {
        self.limits = limits
        slots = Array(repeating: Slot(), count: max(1, size))
    }

    var size: Int { slots.count }

    var availability: PostgresPool.Availability {
        if isClosing { return .closed }
        if slots.contains(where: \.isOpen) { return .available }
        return slots.contains { $0.failures == 0 } ? .connecting : .unavailable
    }

    func isLeased(_ slot: Int) -> Bool { slots[slot].isLeased }

    /// Whether no statement and no transaction is in flight or waiting.
    var isDrained: Bool {
        queries.isEmpty && leases.isEmpty && !slots.contains { $0.isOpen && ($0.load > 0 || $0.isLeased) }
    }

    // MARK: Placement

    mutating func placeQuery(_ ticket: UInt64) -> Placement {
        guard acceptsWork else { return .refuse }
        if let slot = leastLoaded(forLease: false) {
            slots[slot].load += 1
            return .slot(slot)
        }
        guard queries.count < limits.waitingQueries else { return .refuse }
        queries.append(ticket)
        return .wait
    }

    mutating func placeLease(_ ticket: UInt64) -> Placement {
        guard acceptsWork else { return .refuse }
        if let slot = leastLoaded(forLease: true) {
            slots[slot].isLeased = true
            return .slot(slot)
        }
        guard leases.count < limits.waitingLeases else { return .refuse }
        leases.append(ticket)
        return .wait
    }

    /// Removes a ticket from the queues.
    mutating func withdraw(_ ticket: UInt64) {
        queries.removeAll { $0 == ticket }
        leases.removeAll { $0 == ticket }
    }

    /// Removes all tickets from the queues.
    mutating func withdrawAll() {
        queries = []
        leases = []
    }

    /// Assigns a connection to the next waiting ticket.
    ///
    /// - Returns: the assignment; `nil` if no ticket waits or no connection is free. The caller repeats the call until
    ///   it returns `nil`.
    mutating func next() -> Assignment? {
        if let ticket = queries.first, let slot = leastLoaded(forLease: false) {
            queries.removeFirst()
            slots[slot].load += 1
            return .query(ticket, slot: slot)
        }
        if let ticket = leases.first, let slot = leastLoaded(forLease: true) {
            leases.removeFirst()
            slots[slot].isLeased = true
            return .lease(ticket, slot: slot)
        }
        return nil
    }

    private var acceptsWork: Bool {
        switch availability {
        case .connecting, .available: true
        case .unavailable, .closed: false
        }
    }

    /// Returns the usable connection with the fewest autocommit statements in flight. Connections with equally many
    /// statements are chosen in turn.
    private mutating func leastLoaded(forLease: Bool) -> Int? {
        var best: Int?
        for step in 1...slots.count {
            let index = (lastSlot + step) % slots.count
            let slot = slots[index]
            guard slot.isOpen, !slot.isLeased, !slot.isPaused, forLease || slot.load < limits.depth else { continue }
            if let found = best, slots[found].load <= slot.load { continue }
            best = index
            if slot.load == 0 { break }
        }
        if let best { lastSlot = best }
        return best
    }

    // MARK: Events

    mutating func opened(_ slot: Int) {
        slots[slot] = Slot(isOpen: true)
    }

    mutating func lost(_ slot: Int) {
        slots[slot] = Slot()
    }

    mutating func connectFailed(_ slot: Int) {
        slots[slot].failures += 1
    }

    mutating func finishedQuery(_ slot: Int) {
        if slots[slot].load > 0 { slots[slot].load -= 1 }
    }

    mutating func released(_ slot: Int) {
        slots[slot].isLeased = false
    }

    mutating func setPaused(_ slot: Int, _ isPaused: Bool) {
        slots[slot].isPaused = isPaused
    }

    mutating func close() {
        isClosing = true
    }
}
