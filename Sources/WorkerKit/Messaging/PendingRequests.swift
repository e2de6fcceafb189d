/// The requests in flight. Each ends exactly once: by its reply, its confirm, its deadline or the failure of its
/// publish.
struct PendingRequests<Waiter> {
    /// The event that ends a request successfully.
    enum Awaited {
        /// The reply to a query. If its publish has an unknown outcome, the client can ask again.
        case reply
        /// The reply to a command, which can still arrive if its publish has an unknown outcome.
        case commandReply
        /// The publisher confirm of a command that wants no reply.
        case confirm
    }

    /// A request that has ended, and its outcome.
    typealias End = (waiter: Waiter, outcome: RequestOutcome)

    private struct Entry {
        let awaited: Awaited
        let waiter: Waiter
        /// Whether the broker has confirmed the request.
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
    /// - Returns: the request's number; `nil` if the limit is reached.
    mutating func register(_ awaited: Awaited, _ waiter: Waiter) -> UInt64? {
        guard entries.count < limit else { return nil }
        defer { nextID += 1 }
        entries[nextID] = Entry(awaited: awaited, waiter: waiter)
        return nextID
    }

    /// Ends the request that a reply is for; `nil` if it has already ended.
    mutating func answer(_ id: UInt64) -> Waiter? {
        entries.removeValue(forKey: id)?.waiter
    }

    /// Records a publisher confirm.
    ///
    /// - Returns: the request's end if it waited only for the confirm.
    mutating func confirm(_ id: UInt64) -> End? {
        guard entries[id]?.awaited == .confirm else {
            entries[id]?.isConfirmed = true
            return nil
        }
        return answer(id).map { ($0, .accepted) }
    }

    /// Records that the outcome of a publish is unknown.
    ///
    /// - Returns: the request's end, unless a reply can still arrive.
    mutating func publishOutcomeUnknown(_ id: UInt64) -> End? {
        switch entries[id]?.awaited {
        case .reply: answer(id).map { ($0, .unavailable("the connection to the broker broke")) }
        case .confirm: answer(id).map { ($0, .outcomeUnknown) }
        case .commandReply, nil: nil
        }
    }

    /// Ends a request whose deadline has passed.
    mutating func expire(_ id: UInt64) -> End? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        guard entry.awaited != .reply else { return (entry.waiter, .deadlineExceeded) }
        return (entry.waiter, entry.isConfirmed ? .accepted : .outcomeUnknown)
    }
}
