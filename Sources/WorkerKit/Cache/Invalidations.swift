package import Logging
package import Reactor
package import Redis

/// Invalidations of a cache, kept and done again where Redis was away when they were due.
///
/// A cache that missed an invalidation would go on showing what is gone once Redis is back; what is kept is therefore
/// done before anything is read on the new connection.
@Loop package final class Invalidations {
    private static let limit = 10_000

    private let redis: RedisClient
    private let log: Logger
    private var missed: [[RedisArgument]] = []
    private var hasOverflowed = false

    /// Makes the keeper of a cache's invalidations.
    package init(redis: RedisClient, log: Logger) {
        self.redis = redis
        self.log = log
        redis.onConnect = { [weak self] in self?.replay() }
    }

    /// Sends an invalidation, which must bear being done twice.
    package func send(_ command: [RedisArgument]) async {
        do {
            _ = try await redis.send(command)
        } catch {
            keep(command)
        }
    }

    private func keep(_ command: [RedisArgument]) {
        guard missed.count < Self.limit else {
            hasOverflowed = true
            return
        }
        missed.append(command)
    }

    private func replay() {
        guard !missed.isEmpty else { return }
        log.info("cache invalidations done late", metadata: ["count": "\(missed.count)"])
        if hasOverflowed {
            log.warning("some cache invalidations are lost; what they were for shows until it expires")
        }
        let commands = missed
        missed = []
        hasOverflowed = false
        for command in commands {
            redis.send(command) { result in
                if case .failure = result { self.keep(command) }
            }
        }
    }
}
