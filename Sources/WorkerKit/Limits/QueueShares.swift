internal import Contracts

/// Limits the part of each queue that the messages of one client occupy, so that a client cannot fill a queue for all
/// others while no worker consumes it.
///
/// An account may occupy an eighth of a queue, and an address a quarter, because several accounts can share an address.
struct QueueShares {
    /// The part of a queue that one message occupies.
    struct Claim {
        fileprivate let queue: String
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
    ///   - clients: the clients to each of which the message is counted.
    ///   - bytes: the size of the message's body.
    /// - Returns: the claim, for ``release(_:)``; `nil` if the message exceeds the share of one of the clients.
    mutating func claim(_ queue: String, for clients: [ClientKey], bytes: Int) -> Claim? {
        let (size, limit) =
            switch QueueLimit.of(queue) {
            case .messages(let limit): (1, limit)
            case .bytes(let limit): (bytes, limit)
            }
        for client in clients {
            let share = limit / Self.divisor(client)
            guard used[Key(queue: queue, client: client), default: 0] + size <= share else { return nil }
        }
        for client in clients { used[Key(queue: queue, client: client), default: 0] += size }
        return Claim(queue: queue, clients: clients, size: size)
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
