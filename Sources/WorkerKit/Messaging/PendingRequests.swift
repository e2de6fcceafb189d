/// The requests that wait for their ends: each ends exactly once, by its reply or its confirm, its deadline or its
/// publish's failure.
struct PendingRequests<Waiter> {
    /// What a request waits for.
    enum Awaited {
        /// The reply to a query, which is simply asked again where its publish is lost sight of.
        case reply
        /// The reply to a command, which may still come where its publish is lost sight of.
        case commandReply
        /// That the broker has a command on disk; it has no reply.
        case confirm
    }

    /// A request that is taken out, with what became of it.
    typealias End = (waiter: Waiter, outcome: RequestOutcome)

    private struct Entry {
        let awaited: Awaited
        let waiter: Waiter
        /// Whether the broker has it.
        var isConfirmed = false
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
    mutating func register(_ awaited: Awaited, _ waiter: Waiter) -> UInt64? {
        guard entries.count < limit else { return nil }
        defer { nextID += 1 }
        entries[nextID] = Entry(awaited: awaited, waiter: waiter)
        return nextID
    }

    /// Takes out the request that a reply is for; nothing where it has ended already.
    mutating func answer(_ id: UInt64) -> Waiter? {
        entries.removeValue(forKey: id)?.waiter
    }

    /// Notes that the broker has a request.
    ///
    /// - Returns: the request with its end, where that was all it waited for.
    mutating func confirm(_ id: UInt64) -> End? {
        guard entries[id]?.awaited == .confirm else {
            entries[id]?.isConfirmed = true
            return nil
        }
        return answer(id).map { ($0, .accepted) }
    }

    /// Notes that the outcome of a publish will never be known.
    ///
    /// - Returns: the request with its end, where waiting on makes no sense.
    mutating func loseSight(of id: UInt64) -> End? {
        switch entries[id]?.awaited {
        case .reply: answer(id).map { ($0, .unavailable("the connection to the broker broke")) }
        case .confirm: answer(id).map { ($0, .outcomeUnknown) }
        case .commandReply, nil: nil
        }
    }

    /// Takes out a request whose deadline has come, with what that means.
    mutating func expire(_ id: UInt64) -> End? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        guard entry.awaited != .reply else { return (entry.waiter, .deadlineExceeded) }
        return (entry.waiter, entry.isConfirmed ? .accepted : .outcomeUnknown)
    }
}
