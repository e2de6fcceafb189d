internal import Contracts
internal import FoundationEssentials
internal import Synchronization

/// Limits the bytes of request bodies or of responses that the process holds at once. The body of a request counts from
/// its arrival until it is passed to the broker connection, a response from the arrival of the reply until it is
/// written to the socket.
///
/// The size of one body and the number of connections have their own limits, but the product of these limits can exceed
/// the memory.
final class ByteBudget: Sendable {
    /// Responses up to this size, in bytes, are not counted. The write buffer of the connection bounds them
    /// (``IngressChannel``).
    static let smallResponse = 16 * 1024

    /// The kind of bytes that a budget limits.
    enum Content: Sendable {
        case requestBodies
        case responses
    }

    /// A client. The bytes of one client are counted together.
    enum Client: Sendable, Hashable {
        case account(UUID)
        /// The rate limit key of an address.
        case address(String)
    }

    private struct Usage {
        var total = 0
        var clients: [Client: Int] = [:]

        /// Returns the code of the problem if `count` more bytes of some clients exceed a limit, otherwise `nil`.
        func refusal(of count: Int, for clients: [Client], limit: Int) -> ProblemCode? {
            if clients.contains(where: { self.clients[$0, default: 0] + count > limit / 3 }) { return .tooManyRequests }
            return total + count > limit ? .unavailable : nil
        }
    }

    private let limit: Int
    private let content: Content
    private let usage = Mutex(Usage())

    /// - Parameter limit: the maximum number of bytes of all clients together. One client may use a third of them.
    init(_ limit: Int, of content: Content) {
        self.limit = limit
        self.content = content
    }

    /// The number of bytes that are reserved now.
    var reservedBytes: Int { usage.withLock { $0.total } }

    /// Throws if a number of bytes could not be reserved now. Reserves nothing.
    fileprivate func check(_ count: Int, for clients: [Client]) throws(Problem) {
        guard count > 0 else { return }
        let refusal = usage.withLock { $0.refusal(of: count, for: clients, limit: limit) }
        if let refusal { throw problem(refusal) }
    }

    fileprivate func reserve(_ count: Int, for clients: [Client]) throws(Problem) {
        guard count > 0 else { return }
        let refusal = usage.withLock { usage in
            let refusal = usage.refusal(of: count, for: clients, limit: limit)
            if refusal == nil {
                usage.total += count
                for client in clients { usage.clients[client, default: 0] += count }
            }
            return refusal
        }
        if let refusal { throw problem(refusal) }
    }

    fileprivate func release(_ count: Int, for clients: [Client]) {
        guard count > 0 else { return }
        usage.withLock { usage in
            usage.total -= count
            for client in clients {
                let rest = usage.clients[client, default: 0] - count
                usage.clients[client] = rest > 0 ? rest : nil
            }
        }
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
    private let clients: [ByteBudget.Client]
    private let count = Mutex(0)

    /// Makes an empty reservation.
    ///
    /// - Parameter clients: the clients to each of which the bytes are counted.
    init(in budget: ByteBudget, for clients: ByteBudget.Client...) {
        self.budget = budget
        self.clients = clients
    }

    deinit { release() }

    /// Throws if a body of an announced length exceeds the budget now, so that the body can be refused before it
    /// arrives.
    ///
    /// - Throws: the same problems as ``reserve(_:)``.
    func check(_ length: Int) throws(Problem) {
        try budget.check(length, for: clients)
    }

    /// Adds bytes to the reservation.
    ///
    /// - Throws: `too-many-requests` if the bytes exceed the client's third of the budget, `unavailable` if they exceed
    ///   the whole budget.
    func reserve(_ more: Int) throws(Problem) {
        try budget.reserve(more, for: clients)
        count.withLock { $0 += more }
    }

    /// Releases all bytes of the reservation.
    func release() {
        let held = count.withLock { count in
            defer { count = 0 }
            return count
        }
        budget.release(held, for: clients)
    }
}
