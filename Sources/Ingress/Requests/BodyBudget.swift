internal import Contracts
internal import FoundationEssentials
internal import Synchronization

/// How many bytes of requests' bodies the process holds at once, from their arrival until the request is answered.
///
/// Each body is bounded, and so is the number of connections; together they would still be more than any memory.
final class BodyBudget: Sendable {
    /// Whose bodies count together.
    enum Client: Sendable, Hashable {
        case account(UUID)
        case address(String)
    }

    private struct Held {
        var total = 0
        var clients: [Client: Int] = [:]
    }

    private let limit: Int
    private let held = Mutex(Held())

    /// - Parameter limit: the most bytes of all clients together; one client has at most a quarter of them.
    init(_ limit: Int) {
        self.limit = limit
    }

    /// How many bytes are held now.
    var total: Int { held.withLock { $0.total } }

    fileprivate func take(_ count: Int, for client: Client) throws(Problem) {
        let limit = limit
        let refusal = held.withLock { held -> ProblemCode? in
            let whole = held.clients[client, default: 0] + count
            if whole > limit / 4 { return .tooManyRequests }
            if held.total + count > limit { return .unavailable }
            held.total += count
            held.clients[client] = whole
            return nil
        }
        if let refusal { throw Problem(refusal, detail: "Too many bodies are under way at once.", retryAfter: 1) }
    }

    fileprivate func giveBack(_ count: Int, for client: Client) {
        held.withLock { held in
            held.total -= count
            let rest = held.clients[client, default: 0] - count
            held.clients[client] = rest > 0 ? rest : nil
        }
    }
}

/// What one request has of the budget.
struct BodyShare: Sendable {
    private let budget: BodyBudget
    private let client: BodyBudget.Client
    private var count = 0

    init(of budget: BodyBudget, for client: BodyBudget.Client) {
        self.budget = budget
        self.client = client
    }

    /// Takes room for more bytes.
    ///
    /// - Throws: `too-many-requests` where the client holds its part already, `unavailable` where all together do.
    mutating func take(_ more: Int) throws(Problem) {
        try budget.take(more, for: client)
        count += more
    }

    /// Gives all of it back.
    mutating func giveBack() {
        guard count > 0 else { return }
        budget.giveBack(count, for: client)
        count = 0
    }
}
