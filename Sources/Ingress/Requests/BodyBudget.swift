internal import Contracts
internal import FoundationEssentials
internal import Synchronization

/// How many bytes of requests' bodies the process holds at once, from their arrival until the broker is given them.
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

    /// - Parameter limit: the most bytes of all clients together; one client has at most a third of them.
    init(_ limit: Int) {
        self.limit = limit
    }

    /// How many bytes are held now.
    var total: Int { held.withLock { $0.total } }

    /// Looks whether there is room, and takes it if it is wanted.
    fileprivate func find(_ count: Int, for client: Client, takes: Bool) throws(Problem) {
        guard count > 0 else { return }
        let limit = limit
        let refusal = held.withLock { held -> ProblemCode? in
            let whole = held.clients[client, default: 0] + count
            if whole > limit / 3 { return .tooManyRequests }
            if held.total + count > limit { return .unavailable }
            if takes {
                held.total += count
                held.clients[client] = whole
            }
            return nil
        }
        if let refusal { throw Problem(refusal, detail: "Too many bodies are under way at once.", retryAfter: 1) }
    }

    fileprivate func giveBack(_ count: Int, for client: Client) {
        guard count > 0 else { return }
        held.withLock { held in
            held.total -= count
            let rest = held.clients[client, default: 0] - count
            held.clients[client] = rest > 0 ? rest : nil
        }
    }
}

/// What one request has of the budget; given back at the latest when nobody refers to it any more.
final class BodyShare: Sendable {
    private let budget: BodyBudget
    private let client: BodyBudget.Client
    private let count = Mutex(0)

    init(of budget: BodyBudget, for client: BodyBudget.Client) {
        self.budget = budget
        self.client = client
    }

    deinit { giveBack() }

    /// Refuses a body that there is no room for now, before any of it has come.
    ///
    /// - Throws: as ``take(_:)``.
    func check(_ length: Int) throws(Problem) {
        try budget.find(length, for: client, takes: false)
    }

    /// Takes room for more bytes.
    ///
    /// - Throws: `too-many-requests` where the client holds its part already, `unavailable` where all together do.
    func take(_ more: Int) throws(Problem) {
        try budget.find(more, for: client, takes: true)
        count.withLock { $0 += more }
    }

    /// Gives all of it back.
    func giveBack() {
        let held = count.withLock { count in
            defer { count = 0 }
            return count
        }
        budget.giveBack(held, for: client)
    }
}
