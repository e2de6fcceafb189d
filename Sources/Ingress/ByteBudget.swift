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
/// One client may hold a third of the bytes. If several clients hold all of them, new bytes replace those of an earlier
/// reservation that allows it (see ``ByteReservation/allowEviction(_:)``): the oldest one of the client that holds
/// most. Clients that read their responses slowly therefore cannot keep other clients from getting theirs.
final class ByteBudget: Sendable {
    /// Responses up to this size, in bytes, are not counted. The write buffer of the connection bounds them
    /// (``IngressChannel``).
    static let smallResponse = 16 * 1024

    /// The kind of bytes that a budget limits.
    enum Content: Sendable {
        case requestBodies
        case responses
    }

    /// The bytes of one reservation.
    private struct Holding {
        let clients: [ClientKey]
        var count: Int
        var evict: (@Sendable () -> Void)?
    }

    private struct Usage {
        var total = 0
        var clients: [ClientKey: Int] = [:]
        /// The reservations that are not empty, by number. An earlier reservation has a lower number.
        var holdings: [UInt64: Holding] = [:]

        /// Whether `count` more bytes would exceed the limit of one of the clients.
        func isFull(for clients: [ClientKey], _ count: Int, limit: Int) -> Bool {
            clients.contains { self.clients[$0, default: 0] + count > limit }
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

        /// Removes the oldest evictable reservation of the client that holds most, and returns its closure; `nil` if no
        /// reservation is evictable.
        mutating func evict() -> (@Sendable () -> Void)? {
            func bytes(_ holding: Holding) -> Int { holding.clients.map { clients[$0, default: 0] }.max() ?? 0 }
            let chosen = holdings.lazy.filter { $0.value.evict != nil }
                .max { (bytes($0.value), $1.key) < (bytes($1.value), $0.key) }
            guard let chosen else { return nil }
            remove(chosen.key)
            return chosen.value.evict
        }
    }

    private let limit: Int
    private let content: Content
    private let usage = Mutex(Usage())
    private let nextID = Atomic<UInt64>(0)

    /// - Parameter limit: the maximum number of bytes of all clients together. One client may use a third of them.
    init(_ limit: Int, of content: Content) {
        self.limit = limit
        self.content = content
    }

    /// The number of bytes that are reserved now.
    var reservedBytes: Int { usage.withLock { $0.total } }

    fileprivate func makeID() -> UInt64 { nextID.add(1, ordering: .relaxed).newValue }

    /// Throws if a number of bytes could not be reserved now without an eviction. Reserves nothing.
    fileprivate func check(_ count: Int, for clients: [ClientKey]) throws(Problem) {
        let refusal: ProblemCode? = usage.withLock { usage in
            if usage.isFull(for: clients, count, limit: limit / 3) { return .tooManyRequests }
            return usage.total + count > limit ? .unavailable : nil
        }
        if let refusal { throw problem(refusal) }
    }

    fileprivate func reserve(_ count: Int, for clients: [ClientKey], _ id: UInt64) throws(Problem) {
        var evictions: [@Sendable () -> Void] = []
        let refusal: ProblemCode? = usage.withLock { usage in
            if usage.isFull(for: clients, count, limit: limit / 3) { return .tooManyRequests }
            while usage.total + count > limit {
                guard let eviction = usage.evict() else { return .unavailable }
                evictions.append(eviction)
            }
            usage.add(count, to: id, for: clients)
            return nil
        }
        for evict in evictions { evict() }
        if let refusal { throw problem(refusal) }
    }

    fileprivate func allowEviction(_ id: UInt64, _ evict: @escaping @Sendable () -> Void) {
        usage.withLock { $0.holdings[id]?.evict = evict }
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
    /// - Throws: `too-many-requests` if the bytes exceed the client's third of the budget, `unavailable` if they exceed
    ///   the whole budget and no other reservation can be evicted.
    func reserve(_ more: Int) throws(Problem) {
        guard more > 0 else { return }
        try budget.reserve(more, for: clients, id)
    }

    /// Allows the budget to release these bytes when other clients need them.
    ///
    /// - Parameter evict: called at most once, on any thread, when the bytes have been released. It must free the
    ///   memory.
    func allowEviction(_ evict: @escaping @Sendable () -> Void) {
        budget.allowEviction(id, evict)
    }

    /// Releases all bytes of the reservation.
    func release() {
        budget.release(id)
    }
}
