internal import Contracts
internal import Synchronization

/// Caches verified tokens until they expire, so that most requests need no signature verification.
///
/// The cache is divided into shards, each with its own lock, because all HTTP threads use it.
final class TokenCache: Sendable {
    private static let shardCount = 16

    private let shards: [Shard]

    /// - Parameter capacity: the maximum number of tokens.
    init(capacity: Int) {
        shards = (0..<Self.shardCount).map { _ in Shard(capacity: max(1, capacity / Self.shardCount)) }
    }

    /// Returns the claims of a token; `nil` if the token is not cached or has expired.
    func find(_ token: String, at now: Timestamp) -> VerifiedToken? {
        shard(of: token).find(token, at: now)
    }

    /// Adds a verified token.
    func insert(_ token: String, _ verified: VerifiedToken, at now: Timestamp) {
        shard(of: token).insert(token, verified, at: now)
    }

    /// Selects a shard by the last bytes of the signature, which are uniformly distributed.
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
                // If no token has expired, an arbitrary one is evicted. The next request with it verifies it again.
                if tokens.count >= capacity, let evicted = tokens.keys.first { tokens[evicted] = nil }
            }
            tokens[token] = verified
        }
    }
}
