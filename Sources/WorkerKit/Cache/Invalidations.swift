package import Logging
package import Reactor
package import Redis

/// Sends invalidations to a cache, and sends failed invalidations again, because a cache that has missed an
/// invalidation continues to serve deleted data.
///
/// While the connection is open, one of the failed invalidations is sent again with exponential backoff, and all
/// others as soon as it succeeds. On a new connection, all of them are sent before any command that reads. An
/// invalidation that fails several times is kept only once. Other workers of the service, which may reach Redis, get
/// failed invalidations through the broker (``handover``).
@Loop package final class Invalidations {
    /// The lifetime of cache entries.
    package static let entryLifetime: Duration = .seconds(60)
    /// How long an invalidation is needed. A reader can store a value that it read before the invalidation until its
    /// reservation ends. The value then lives for ``entryLifetime``.
    static let needed = entryLifetime + .milliseconds(CacheFiller.reservationLifetime)
    /// The maximum number of failed invalidations that are kept.
    private static let limit = 10_000

    private let redis: RedisClient
    private let log: Logger
    /// Passes failed invalidations on; `nil` if there are no other workers.
    private let handover: InvalidationHandover?
    /// The failed invalidations that must be sent again.
    private var pending: Set<Invalidation> = []
    /// Whether failed invalidations were dropped because of ``limit``.
    private var hasOverflowed = false
    /// If Redis refuses writes, caches are not read. As soon as it accepts them again, readers can find entries whose
    /// invalidation is pending, so the longest delay is short.
    private var backoff = Backoff(.milliseconds(100) ... .milliseconds(500))
    private var timer: LoopTimer?

    /// Makes the invalidations of a Redis client. A client can have only one such object, because the object sets the
    /// client's `onConnect`.
    package init(redis: RedisClient, handover: InvalidationHandover? = nil, log: Logger) {
        self.redis = redis
        self.handover = handover
        self.log = log
        redis.onConnect = { [weak self] in self?.retry() }
    }

    isolated deinit {
        timer?.cancel()
    }

    /// The number of failed invalidations that must be sent again.
    var count: Int { pending.count }

    /// Sends an invalidation. Retries it later if it fails.
    ///
    /// - Parameter needed: how long other workers need the invalidation if it fails.
    func send(_ invalidation: Invalidation, needed: Duration = needed) async {
        do {
            _ = try await redis.send(invalidation.command(for: redis.serverID))
        } catch {
            keep(invalidation)
            handover?.add(invalidation, needed: needed)
        }
    }

    /// Sends several invalidations at the same time.
    func send(_ invalidations: [(Invalidation, needed: Duration)]) async {
        await withDiscardingTaskGroup { group in
            for (invalidation, needed) in invalidations {
                group.addTask { await self.send(invalidation, needed: needed) }
            }
        }
    }

    private func keep(_ invalidation: Invalidation) {
        if pending.count < Self.limit {
            pending.insert(invalidation)
        } else if !pending.contains(invalidation) {
            hasOverflowed = true
        }
        scheduleRetry()
    }

    /// Sends one pending invalidation, and all others if it succeeds. The choice is random, so that an invalidation
    /// that Redis always refuses does not hold up the others.
    private func probe() {
        timer = nil
        guard redis.isConnected, let invalidation = pending.randomElement() else { return }
        redis.send(invalidation.command(for: redis.serverID)) { result in
            switch result {
            case .success: self.retry()
            case .failure: self.scheduleRetry()
            }
        }
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
        let invalidations = pending
        pending = []
        hasOverflowed = false
        for invalidation in invalidations {
            redis.send(invalidation.command(for: redis.serverID)) { result in
                switch result {
                case .success:
                    // If the same invalidation has failed once more meanwhile, it is still needed.
                    if !self.pending.contains(invalidation) { self.handover?.remove(invalidation) }
                    if self.pending.isEmpty { self.backoff.reset() }
                case .failure: self.keep(invalidation)
                }
            }
        }
    }

    private func scheduleRetry() {
        // If Redis is not connected, `onConnect` sends the invalidations.
        guard timer == nil, redis.isConnected else { return }
        timer = Loop.schedule(after: backoff.next()) { [weak self] in self?.probe() }
    }
}
