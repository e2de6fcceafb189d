internal import Contracts
internal import FoundationEssentials
internal import Synchronization

/// Bounds the bytes of request bodies that the process holds at once, from their arrival until the broker has them.
///
/// The size of one body and the number of connections are bounded too, but their product exceeds the memory.
final class BodyBudget: Sendable {
    /// The client whose bodies are counted together.
    enum Client: Sendable, Hashable {
        case account(UUID)
        /// The rate limit key of an address.
        case address(String)
    }

    private struct Usage {
        var total = 0
        var clients: [Client: Int] = [:]

        /// Returns the code of the problem if a client cannot have more bytes; `nil` if it can.
        func refusal(of count: Int, for client: Client, limit: Int) -> ProblemCode? {
            if clients[client, default: 0] + count > limit / 3 { return .tooManyRequests }
            return total + count > limit ? .unavailable : nil
        }
    }

    private let limit: Int
    private let usage = Mutex(Usage())

    /// - Parameter limit: the maximum number of bytes of all clients together; one client may have a third of it.
    init(_ limit: Int) {
        self.limit = limit
    }

    /// The number of bytes that are reserved now.
    var reservedBytes: Int { usage.withLock { $0.total } }

    /// Checks whether a number of bytes could be reserved now.
    fileprivate func check(_ count: Int, for client: Client) throws(Problem) {
        guard count > 0 else { return }
        let refusal = usage.withLock { $0.refusal(of: count, for: client, limit: limit) }
        if let refusal { throw Self.problem(refusal) }
    }

    fileprivate func reserve(_ count: Int, for client: Client) throws(Problem) {
        guard count > 0 else { return }
        let refusal = usage.withLock { usage in
            let refusal = usage.refusal(of: count, for: client, limit: limit)
            if refusal == nil {
                usage.total += count
                usage.clients[client, default: 0] += count
            }
            return refusal
        }
        if let refusal { throw Self.problem(refusal) }
    }

    fileprivate func release(_ count: Int, for client: Client) {
        guard count > 0 else { return }
        usage.withLock { usage in
            usage.total -= count
            let rest = usage.clients[client, default: 0] - count
            usage.clients[client] = rest > 0 ? rest : nil
        }
    }

    private static func problem(_ code: ProblemCode) -> Problem {
        let sender = code == .tooManyRequests ? "This client is sending" : "Clients are sending"
        return Problem(code, detail: "\(sender) too many request bodies at once.", retryAfter: 1)
    }
}

/// The bytes of a budget that one request holds. They are released by ``release()``, or when the object is freed.
final class BodyReservation: Sendable {
    private let budget: BodyBudget
    private let client: BodyBudget.Client
    private let count = Mutex(0)

    /// Makes an empty reservation.
    init(in budget: BodyBudget, for client: BodyBudget.Client) {
        self.budget = budget
        self.client = client
    }

    deinit { release() }

    /// Checks whether a body of an announced length would fit now, so that it can be refused before it arrives.
    ///
    /// - Throws: the same problems as ``reserve(_:)``.
    func check(_ length: Int) throws(Problem) {
        try budget.check(length, for: client)
    }

    /// Adds bytes to the reservation.
    ///
    /// - Throws: `too-many-requests` if the client's share is used up, `unavailable` if the whole budget is.
    func reserve(_ more: Int) throws(Problem) {
        try budget.reserve(more, for: client)
        count.withLock { $0 += more }
    }

    /// Releases all bytes of the reservation.
    func release() {
        let held = count.withLock { count in
            defer { count = 0 }
            return count
        }
        budget.release(held, for: client)
    }
}
