package import Logging
package import Reactor
package import Redis

/// Sends invalidations to a cache and retries those that failed, because a cache that missed one keeps serving deleted
/// data.
///
/// Retries back off exponentially while the connection lasts. On a new connection all pending invalidations are sent
/// before any command that reads. The same invalidation is kept once, however often it failed.
@Loop package final class Invalidations {
    private static let limit = 10_000

    private let redis: RedisClient
    private let log: Logger
    private var pending: Set<[RedisArgument]> = []
    private var hasOverflowed = false
    private var backoff = Backoff(.milliseconds(100) ... .seconds(5))
    private var timer: LoopTimer?

    /// Makes the sender of a client's invalidations. A client has one, because it sets the client's `onConnect`.
    package init(redis: RedisClient, log: Logger) {
        self.redis = redis
        self.log = log
        redis.onConnect = { [weak self] in self?.retry() }
    }

    isolated deinit {
        timer?.cancel()
    }

    /// The number of failed invalidations.
    var count: Int { pending.count }

    /// Sends an invalidation, which must be idempotent because it can be sent again later.
    package func send(_ command: [RedisArgument]) async {
        do {
            _ = try await redis.send(command)
            // The same invalidation, if it failed before, is made up for.
            if !pending.isEmpty { pending.remove(command) }
        } catch {
            keep(command)
        }
    }

    private func keep(_ command: [RedisArgument]) {
        if pending.count < Self.limit {
            pending.insert(command)
        } else if !pending.contains(command) {
            hasOverflowed = true
        }
        scheduleRetry()
    }

    /// Sends all pending invalidations in one turn of the loop.
    private func retry() {
        timer?.cancel()
        timer = nil
        guard redis.isConnected, !pending.isEmpty else { return }
        log.info("failed cache invalidations sent again", metadata: ["count": "\(pending.count)"])
        if hasOverflowed {
            log.warning("cache invalidations lost; deleted entries stay visible until they expire")
        }
        let commands = pending
        pending = []
        hasOverflowed = false
        for command in commands {
            redis.send(command) { result in
                switch result {
                case .success: if self.pending.isEmpty { self.backoff.reset() }
                case .failure: self.keep(command)
                }
            }
        }
    }

    private func scheduleRetry() {
        // Without a connection, `onConnect` retries.
        guard timer == nil, redis.isConnected else { return }
        timer = Loop.schedule(after: backoff.next()) { [weak self] in self?.retry() }
    }
}
