package import Logging
package import Reactor
package import Redis

/// Invalidations of a cache, kept and done again where Redis did not take them when they were due.
///
/// A cache that missed an invalidation would go on showing what is gone. What is kept is therefore done again soon, with
/// pauses that grow as long as it fails, and on a new connection before anything is read there. The same invalidation is
/// kept once, however often it was due.
@Loop package final class Invalidations {
    private static let limit = 10_000
    private static let pauses: ClosedRange<Duration> = .milliseconds(100) ... .seconds(5)

    private let redis: RedisClient
    private let log: Logger
    private var missed: Set<[RedisArgument]> = []
    private var hasOverflowed = false
    private var pause = Invalidations.pauses.lowerBound
    private var timer: LoopTimer?

    /// Makes the keeper of a client's invalidations; a client has one of them.
    package init(redis: RedisClient, log: Logger) {
        self.redis = redis
        self.log = log
        redis.onConnect = { [weak self] in self?.redo() }
    }

    isolated deinit {
        timer?.cancel()
    }

    /// How many wait to be done again.
    var count: Int { missed.count }

    /// Sends an invalidation, which must bear being done twice and late.
    package func send(_ command: [RedisArgument]) async {
        do {
            _ = try await redis.send(command)
            // It makes up for the same one that failed before.
            if !missed.isEmpty { missed.remove(command) }
        } catch {
            keep(command)
        }
    }

    private func keep(_ command: [RedisArgument]) {
        if missed.count < Self.limit {
            missed.insert(command)
        } else if !missed.contains(command) {
            hasOverflowed = true
        }
        redoLater()
    }

    /// Does again what is kept, all of it in one turn of the loop.
    private func redo() {
        timer?.cancel()
        timer = nil
        guard redis.isConnected, !missed.isEmpty else { return }
        log.info("cache invalidations done late", metadata: ["count": "\(missed.count)"])
        if hasOverflowed {
            log.warning("some cache invalidations are lost; what they were for shows until it expires")
        }
        let commands = missed
        missed = []
        hasOverflowed = false
        for command in commands {
            redis.send(command) { result in
                switch result {
                case .success: if self.missed.isEmpty { self.pause = Self.pauses.lowerBound }
                case .failure: self.keep(command)
                }
            }
        }
    }

    private func redoLater() {
        // Without a connection the next one is what to wait for.
        guard timer == nil, redis.isConnected else { return }
        timer = Loop.schedule(after: pause * Double.random(in: 0.5...1)) { [weak self] in self?.redo() }
        pause = min(pause * 2, Self.pauses.upperBound)
    }
}
