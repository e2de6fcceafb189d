internal import Contracts
internal import Synchronization

/// The tokens verified lately, until they expire, so that the usual request costs no cryptography.
final class TokenCache: Sendable {
    private static let shardCount = 16

    private let shards: [Shard]

    /// Makes a cache.
    ///
    /// - Parameter capacity: the most tokens it holds.
    init(capacity: Int) {
        shards = (0..<Self.shardCount).map { _ in Shard(capacity: max(1, capacity / Self.shardCount)) }
    }

    /// What a token says, where it was verified before and has not expired.
    func find(_ token: String, at now: Timestamp) -> VerifiedToken? {
        shard(of: token).find(token, at: now)
    }

    /// Remembers a verified token.
    func insert(_ token: String, _ verified: VerifiedToken, at now: Timestamp) {
        shard(of: token).insert(token, verified, at: now)
    }

    /// By the last bytes of the signature, which are as good as random.
    private func shard(of token: String) -> Shard {
        let last = token.utf8.suffix(3).reduce(0) { $0 &* 31 &+ Int($1) }
        return shards[last % Self.shardCount]
    }
}

private final class Shard: Sendable {
    private let capacity: Int
    private let tokens = Mutex<[String: VerifiedToken]>([:])

    init(capacity: Int) {
        self.capacity = capacity
    }

    func find(_ token: String, at now: Timestamp) -> VerifiedToken? {
        guard let verified = tokens.withLock({ $0[token] }), now < verified.expiry else { return nil }
        return verified
    }

    func insert(_ token: String, _ verified: VerifiedToken, at now: Timestamp) {
        tokens.withLock { tokens in
            if tokens.count >= capacity, tokens[token] == nil {
                tokens = tokens.filter { now < $0.value.expiry }
                // Where all are still good, any one of them makes room: it costs its bearer one verification.
                if tokens.count >= capacity, let victim = tokens.keys.first { tokens[victim] = nil }
            }
            tokens[token] = verified
        }
    }
}
