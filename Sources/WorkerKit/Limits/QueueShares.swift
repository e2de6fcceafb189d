internal import Contracts

/// Limits the part of each queue that the messages of one client occupy, so that a client cannot fill a queue for all
/// others while no worker consumes it.
///
/// An account may occupy an eighth of a queue, and an address a quarter, because several accounts can share an address.
struct QueueShares {
    /// The part of a queue that one message occupies.
    struct Claim {
        let queue: String
        fileprivate let clients: [ClientKey]
        /// In the unit of the queue's limit, which is messages or bytes.
        fileprivate let size: Int
    }

    private struct Key: Hashable {
        let queue: String
        let client: ClientKey
    }

    private var used: [Key: Int] = [:]

    /// The number of clients that occupy a part of a queue, summed over the queues.
    var count: Int { used.count }

    /// Claims the part of a queue that a message occupies.
    ///
    /// - Parameters:
    ///   - queue: the queue.
    ///   - clients: the clients against whose shares the message counts.
    ///   - bytes: the size of the message's body.
    /// - Returns: the claim, for ``release(_:)``; `nil` if the message exceeds the share of one of the clients.
    mutating func claim(_ queue: String, for clients: [ClientKey], bytes: Int) -> Claim? {
        guard !isExceeded(queue, by: clients, bytes: bytes) else { return nil }
        let claim = Claim(queue: queue, clients: clients, size: Self.measure(queue, bytes).size)
        for client in clients { used[Key(queue: queue, client: client), default: 0] += claim.size }
        return claim
    }

    /// Whether a message would exceed the share of one of its clients.
    func isExceeded(_ queue: String, by clients: [ClientKey], bytes: Int) -> Bool {
        let (size, limit) = Self.measure(queue, bytes)
        return clients.contains { client in
            used[Key(queue: queue, client: client), default: 0] + size > limit / Self.divisor(client)
        }
    }

    private static func measure(_ queue: String, _ bytes: Int) -> (size: Int, limit: Int) {
        switch QueueLimit.of(queue) {
        case .messages(let limit): (1, limit)
        case .bytes(let limit): (bytes, limit)
        }
    }

    /// Releases the part of a queue that a message occupied.
    mutating func release(_ claim: Claim) {
        for client in claim.clients {
            let key = Key(queue: claim.queue, client: client)
            let rest = used[key, default: 0] - claim.size
            used[key] = rest > 0 ? rest : nil
        }
    }

    private static func divisor(_ client: ClientKey) -> Int {
        switch client {
        case .account: 8
        case .address: 4
        }
    }
}
