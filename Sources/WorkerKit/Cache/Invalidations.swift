package import Logging
package import Reactor
package import Redis

/// Sends invalidations to a cache, and sends failed invalidations again, because a cache that has missed an
/// invalidation continues to serve deleted data.
///
/// While the connection is open, failed invalidations are sent again with exponential backoff. On a new connection, all
/// of them are sent before any command that reads. An invalidation that fails several times is kept only once.
@Loop package final class Invalidations {
    /// The maximum number of failed invalidations that are kept.
    private static let limit = 10_000

    private let redis: RedisClient
    private let log: Logger
    /// The failed invalidations that must be sent again.
    private var pending: Set<[RedisArgument]> = []
    /// Whether failed invalidations were dropped because of ``limit``.
    private var hasOverflowed = false
    private var backoff = Backoff(.milliseconds(100) ... .seconds(5))
    private var timer: LoopTimer?

    /// Makes the invalidations of a Redis client. A client can have only one such object, because the object sets the
    /// client's `onConnect`.
    package init(redis: RedisClient, log: Logger) {
        self.redis = redis
        self.log = log
        redis.onConnect = { [weak self] in self?.retry() }
    }

    isolated deinit {
        timer?.cancel()
    }

    /// The number of failed invalidations that must be sent again.
    var count: Int { pending.count }

    /// Sends an invalidation. The command must be idempotent, because it can be sent again later.
    package func send(_ command: [RedisArgument]) async {
        do {
            _ = try await redis.send(command)
            // If the same invalidation has failed before, it need not be sent again.
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
        log.info("sending failed cache invalidations again", metadata: ["count": "\(pending.count)"])
        if hasOverflowed {
            log.warning("too many cache invalidations failed; deleted data can be served until it expires")
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
        // If Redis is not connected, `onConnect` sends the invalidations.
        guard timer == nil, redis.isConnected else { return }
        timer = Loop.schedule(after: backoff.next()) { [weak self] in self?.retry() }
    }
}
