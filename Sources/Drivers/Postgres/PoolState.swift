internal import DequeModule

/// What a pool knows and decides: who gets which connection, who waits, who is refused.
///
/// Pure: tickets stand for those who wait, numbers for the connections. Statements of their own go to the connection with
/// the shortest pipeline, so that their commits spread; a transaction takes a connection out of that until it ends. Both
/// wait first in, first out. A connection that becomes free first takes the statements that wait, which only queue in its
/// pipeline, and then the first transaction: neither kind can starve the other.
struct PoolState {
    struct Limits {
        /// How many statements may be under way on one connection.
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

    private struct Slot {
        var isOpen = false
        var failures = 0
        var isLeased = false
        /// Something on it is overdue: nothing new goes there.
        var isSuspect = false
        var load = 0
    }

    private let limits: Limits
    private var slots: [Slot]
    private var cursor = 0
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

    /// Whether nothing is under way and nobody waits.
    var isDrained: Bool {
        queries.isEmpty && leases.isEmpty && !slots.contains { $0.isOpen && ($0.load > 0 || $0.isLeased) }
    }

    // MARK: Asking

    mutating func placeQuery(_ ticket: UInt64) -> Placement {
        guard canTake else { return .refuse }
        if let slot = freest(forLease: false) {
            slots[slot].load += 1
            return .slot(slot)
        }
        guard queries.count < limits.waitingQueries else { return .refuse }
        queries.append(ticket)
        return .wait
    }

    mutating func placeLease(_ ticket: UInt64) -> Placement {
        guard canTake else { return .refuse }
        if let slot = freest(forLease: true) {
            slots[slot].isLeased = true
            return .slot(slot)
        }
        guard leases.count < limits.waitingLeases else { return .refuse }
        leases.append(ticket)
        return .wait
    }

    /// Takes one who waits out of the queues.
    mutating func withdraw(_ ticket: UInt64) {
        queries.removeAll { $0 == ticket }
        leases.removeAll { $0 == ticket }
    }

    /// Takes everyone who waits out of the queues.
    mutating func withdrawAll() {
        queries = []
        leases = []
    }

    /// The next of those who wait for whom there is a connection; asked again until it says nil.
    mutating func next() -> Assignment? {
        if let ticket = queries.first, let slot = freest(forLease: false) {
            queries.removeFirst()
            slots[slot].load += 1
            return .query(ticket, slot: slot)
        }
        if let ticket = leases.first, let slot = freest(forLease: true) {
            leases.removeFirst()
            slots[slot].isLeased = true
            return .lease(ticket, slot: slot)
        }
        return nil
    }

    private var canTake: Bool {
        switch availability {
        case .connecting, .available: true
        case .unavailable, .closed: false
        }
    }

    /// The usable connection with the shortest pipeline, the next one in turn among equals.
    private mutating func freest(forLease: Bool) -> Int? {
        var best: Int?
        for step in 1...slots.count {
            let index = (cursor + step) % slots.count
            let slot = slots[index]
            guard slot.isOpen, !slot.isLeased, !slot.isSuspect, forLease || slot.load < limits.depth else { continue }
            if let found = best, slots[found].load <= slot.load { continue }
            best = index
            if slot.load == 0 { break }
        }
        if let best { cursor = best }
        return best
    }

    // MARK: What happened

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

    mutating func suspect(_ slot: Int, _ isSuspect: Bool) {
        slots[slot].isSuspect = isSuspect
    }

    mutating func close() {
        isClosing = true
    }
}
