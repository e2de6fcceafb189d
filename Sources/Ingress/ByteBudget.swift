internal import Contracts
internal import Synchronization
internal import WorkerKit

/// Limits the bytes of request bodies or of responses that the process holds at once. The body of a request counts from
/// its arrival until it is passed to the broker connection, a response from the arrival of the reply until it is
/// written to the socket.
///
/// The size of one body and the number of connections have their own limits, but the product of these limits can exceed
/// the memory.
///
/// An account, or an address without an account, may hold a third of the bytes, and an address with accounts two
/// thirds. If the budget is exhausted, the oldest reservations that allow it are evicted
/// (see ``ByteReservation/allowEviction(_:)``). Slow readers therefore cannot block the responses of other clients.
final class ByteBudget: Sendable {
    /// Responses up to this size, in bytes, are not counted. The write buffer of the connection bounds them
    /// (``ConnectionPipeline``).
    static let smallResponse = 16 * 1024

    /// The kind of bytes that a budget limits.
    enum Content: Sendable {
        case requestBodies
        case responses
    }

    private struct Refusal: Error {
        let code: ProblemCode
    }

    /// The bytes of one reservation.
    private struct Holding {
        let clients: [ClientKey]
        var count: Int
        var eviction: Eviction?
    }

    /// The time from which a reservation may be evicted after ``minimumAge``, and the closure to call then.
    private struct Eviction {
        let since: ContinuousClock.Instant
        let perform: @Sendable () -> Void
    }

    /// The time for which a response is never evicted. Most clients read their responses within this time.
    private static let minimumAge: Duration = .seconds(1)

    private struct Usage {
        var total = 0
        var clients: [ClientKey: Int] = [:]
        /// The reservations that are not empty, by number. An earlier reservation has a lower number.
        var holdings: [UInt64: Holding] = [:]

        /// Whether `count` more bytes would exceed the share of one of the clients.
        func isFull(for clients: [ClientKey], _ count: Int, limit: Int) -> Bool {
            clients.contains { client in
                var share = limit / 3
                if case .address = client, clients.count > 1 { share *= 2 }
                return self.clients[client, default: 0] + count > share
            }
        }

        mutating func add(_ count: Int, to id: UInt64, for clients: [ClientKey]) {
            holdings[id, default: Holding(clients: clients, count: 0)].count += count
            total += count
            for client in clients { self.clients[client, default: 0] += count }
        }

        /// Removes a reservation.
        mutating func remove(_ id: UInt64) {
            guard let holding = holdings.removeValue(forKey: id) else { return }
            total -= holding.count
            for client in holding.clients {
                let rest = clients[client, default: 0] - holding.count
                clients[client] = rest > 0 ? rest : nil
            }
        }

        /// Removes the oldest evictable reservations until `count` bytes are free, and returns their closures. Removes
        /// none and returns `nil` if this is not possible.
        mutating func evict(
            until count: Int, limit: Int, at now: ContinuousClock.Instant
        ) -> [@Sendable () -> Void]? {
            var missing = total + count - limit
            guard missing > 0 else { return [] }
            let evictable = holdings.filter {
                $0.value.eviction.map { now - $0.since >= ByteBudget.minimumAge } ?? false
            }
            var evictions: [@Sendable () -> Void] = []
            var ids: [UInt64] = []
            for (id, holding) in evictable.sorted(by: { $0.key < $1.key }) where missing > 0 {
                missing -= holding.count
                ids.append(id)
                if let eviction = holding.eviction { evictions.append(eviction.perform) }
            }
            guard missing <= 0 else { return nil }
            for id in ids { remove(id) }
            return evictions
        }
    }

    private let limit: Int
    private let content: Content
    private let usage = Mutex(Usage())
    private let nextID = Atomic<UInt64>(0)

    /// - Parameter limit: the maximum number of bytes of all clients together.
    init(_ limit: Int, of content: Content) {
        self.limit = limit
        self.content = content
    }

    /// The number of bytes that are reserved now.
    var reservedBytes: Int { usage.withLock { $0.total } }

    fileprivate func makeID() -> UInt64 { nextID.add(1, ordering: .relaxed).newValue }

    /// Throws if the bytes do not fit without an eviction. Reserves nothing.
    fileprivate func check(_ count: Int, for clients: [ClientKey]) throws(Problem) {
        let refusal: ProblemCode? = usage.withLock { usage in
            if usage.isFull(for: clients, count, limit: limit) { return .tooManyRequests }
            return usage.total + count > limit ? .unavailable : nil
        }
        if let refusal { throw problem(refusal) }
    }

    fileprivate func reserve(_ count: Int, for clients: [ClientKey], _ id: UInt64) throws(Problem) {
        let result: Result<[@Sendable () -> Void], Refusal> = usage.withLock { usage in
            if usage.isFull(for: clients, count, limit: limit) { return .failure(Refusal(code: .tooManyRequests)) }
            guard let evictions = usage.evict(until: count, limit: limit, at: .now) else {
                return .failure(Refusal(code: .unavailable))
            }
            usage.add(count, to: id, for: clients)
            return .success(evictions)
        }
        switch result {
        case .success(let evictions): for evict in evictions { evict() }
        case .failure(let refusal): throw problem(refusal.code)
        }
    }

    fileprivate func allowEviction(_ id: UInt64, _ perform: @escaping @Sendable () -> Void) {
        usage.withLock { $0.holdings[id]?.eviction = Eviction(since: .now, perform: perform) }
    }

    fileprivate func release(_ id: UInt64) {
        usage.withLock { $0.remove(id) }
    }

    private func problem(_ code: ProblemCode) -> Problem {
        let isOneClient = code == .tooManyRequests
        let detail =
            switch content {
            case .requestBodies:
                "\(isOneClient ? "This client is" : "Clients are") sending too many request bodies at once."
            case .responses: "\(isOneClient ? "This client reads its" : "Clients read their") responses too slowly."
            }
        return Problem(code, detail: detail, retryAfter: 1)
    }
}

/// The bytes of a budget that are reserved for the body of one request or for one response. They are released by
/// ``release()``, or when this object is freed.
final class ByteReservation: Sendable {
    private let budget: ByteBudget
    private let clients: [ClientKey]
    private let id: UInt64

    /// Makes an empty reservation.
    ///
    /// - Parameter clients: the clients to each of which the bytes are counted.
    init(in budget: ByteBudget, for clients: [ClientKey]) {
        self.budget = budget
        self.clients = clients
        id = budget.makeID()
    }

    deinit { release() }

    /// Throws if a body of an announced length exceeds the budget now, so that the body can be refused before it
    /// arrives.
    ///
    /// - Throws: the same problems as ``reserve(_:)``.
    func check(_ length: Int) throws(Problem) {
        guard length > 0 else { return }
        try budget.check(length, for: clients)
    }

    /// Adds bytes to the reservation. If the budget is exhausted, evicts other reservations.
    ///
    /// - Throws: `too-many-requests` if the bytes exceed the share of a client, `unavailable` if they exceed the whole
    ///   budget and not enough other reservations can be evicted.
    func reserve(_ more: Int) throws(Problem) {
        guard more > 0 else { return }
        try budget.reserve(more, for: clients, id)
    }

    /// Allows the budget to release these bytes after a second, when other clients need them.
    ///
    /// - Parameter evict: called at most once, on any thread, after the bytes are released. It must free the memory.
    func allowEviction(_ evict: @escaping @Sendable () -> Void) {
        budget.allowEviction(id, evict)
    }

    /// Releases all bytes of the reservation.
    func release() {
        budget.release(id)
    }
}
