/// The requests in flight. Each request ends exactly once: by its reply, by its confirm, at its deadline, or because it
/// could not be published.
struct PendingRequests<Completion> {
    /// The event that ends a request successfully.
    enum Awaited {
        /// The reply to a query. If it is unknown whether the query was published, the query ends as unavailable,
        /// because the client can send it again.
        case reply
        /// The reply to a credential. If it is unknown whether the credential was published, it ends with an unknown
        /// outcome, because it may be carried out.
        case credentialReply
        /// The reply to a command. If it is unknown whether the command was published, the reply can still arrive.
        case commandReply
        /// The publisher confirm of a command whose sender does not wait for a reply.
        case confirm
    }

    /// The completion of a request that has ended, and the request's outcome.
    typealias End = (completion: Completion, outcome: RequestOutcome)

    private struct Entry {
        let awaited: Awaited
        let completion: Completion
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
    mutating func register(_ awaited: Awaited, _ completion: Completion) -> UInt64? {
        guard entries.count < limit else { return nil }
        defer { nextID += 1 }
        entries[nextID] = Entry(awaited: awaited, completion: completion)
        return nextID
    }

    /// Ends a request whose reply has arrived. If its sender waits for the confirm only, the request ends as accepted,
    /// because a worker has received it.
    ///
    /// - Returns: the request's end; `nil` if the request has already ended.
    mutating func answer(_ id: UInt64, _ reply: Reply) -> End? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        return (entry.completion, entry.awaited == .confirm ? .accepted : .reply(reply))
    }

    /// Removes a request that was not published.
    ///
    /// - Returns: the request's completion; `nil` if the request has already ended.
    mutating func remove(_ id: UInt64) -> Completion? {
        entries.removeValue(forKey: id)?.completion
    }

    /// Records a publisher confirm.
    ///
    /// - Returns: the request's end if it waited for the confirm; otherwise `nil`.
    mutating func confirm(_ id: UInt64) -> End? {
        guard entries[id]?.awaited == .confirm else {
            entries[id]?.isConfirmed = true
            return nil
        }
        return remove(id).map { ($0, .accepted) }
    }

    /// Records that it is unknown whether a request was published.
    ///
    /// - Returns: the request's end; `nil` if a reply can still arrive or the request has already ended.
    mutating func publishOutcomeUnknown(_ id: UInt64) -> End? {
        switch entries[id]?.awaited {
        case .reply: remove(id).map { ($0, .unavailable("the connection to the broker broke")) }
        case .credentialReply, .confirm: remove(id).map { ($0, .outcomeUnknown) }
        case .commandReply, nil: nil
        }
    }

    /// Ends a request whose deadline has passed.
    ///
    /// - Returns: the request's end; `nil` if the request has already ended.
    mutating func expire(_ id: UInt64) -> End? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        switch entry.awaited {
        case .reply, .credentialReply: return (entry.completion, .deadlineExceeded)
        case .commandReply, .confirm: return (entry.completion, entry.isConfirmed ? .accepted : .outcomeUnknown)
        }
    }
}
