/// The requests that wait for their replies: each ends exactly once, by its reply, its deadline or its publish's failure.
struct PendingRequests<Waiter> {
    /// What is known about the publish of a request that waits.
    enum Publish {
        case sent
        /// The broker has it on disk.
        case confirmed
        /// The connection went before the broker said anything.
        case unknown
    }

    private struct Entry {
        let isCommand: Bool
        let waiter: Waiter
        var publish = Publish.sent
    }

    private var entries: [UInt64: Entry] = [:]
    private var nextID: UInt64 = 1
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { entries.count }

    /// Registers a request.
    ///
    /// - Returns: what it is known by, or nothing where as many wait as may.
    mutating func register(isCommand: Bool, _ waiter: Waiter) -> UInt64? {
        guard entries.count < limit else { return nil }
        defer { nextID += 1 }
        entries[nextID] = Entry(isCommand: isCommand, waiter: waiter)
        return nextID
    }

    /// Takes out the request that a reply is for; nothing where it has ended already.
    mutating func answer(_ id: UInt64) -> Waiter? {
        entries.removeValue(forKey: id)?.waiter
    }

    mutating func confirm(_ id: UInt64) {
        entries[id]?.publish = .confirmed
    }

    /// Notes that the outcome of a publish will never be known.
    ///
    /// - Returns: the request with its end, where waiting on makes no sense: a query is simply asked again.
    mutating func loseSight(of id: UInt64) -> Waiter? {
        guard let entry = entries[id] else { return nil }
        guard entry.isCommand else { return answer(id) }
        entries[id]?.publish = .unknown
        return nil
    }

    /// Takes out a request whose deadline has come, with what that means.
    mutating func expire(_ id: UInt64) -> (waiter: Waiter, outcome: RequestOutcome)? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        guard entry.isCommand else { return (entry.waiter, .deadlineExceeded) }
        return (entry.waiter, entry.publish == .confirmed ? .accepted : .outcomeUnknown)
    }
}
