internal import Logging
package import Reactor
package import Redis

/// Decides rate limits from the state in this process, without waiting for Redis. 20 ms after a charge it sends the
/// key's costs to Redis, and the reply has the costs of all processes. The state of a key that this process does not
/// charge is not updated.
///
/// A process can allow a client one burst before it learns of the requests that other processes allowed. All requests
/// are counted, so N processes allow at most N bursts at once, and in the long run the rate of the limit.
///
/// While Redis does not answer, each process counts its own requests.
@Loop package final class SharedRateLimiter {
    /// The time from a charge until Redis is told about it.
    private static let interval: Duration = .milliseconds(20)
    /// How long Redis has to answer.
    private static let timeout: Duration = .seconds(1)
    /// How long the process counts its own requests after Redis has failed to answer.
    private static let pause: Duration = .seconds(1)
    /// The maximum number of keys in one call, so that a call does not occupy Redis for long.
    private static let batch = 500

    private let redis: RedisClient
    private let start = ContinuousClock.now
    private var local = LocalRateLimiter()
    /// The costs of a key that are not sent to Redis yet.
    private struct Unsent {
        /// In microseconds.
        var cost: Int64
        /// The time of the first charge, in microseconds.
        let since: Int64
    }

    /// The maximum number of keys with unsent costs. The requests of further keys are counted in this process only.
    private static let capacity = 100_000

    private var unsent: [String: Unsent] = [:]
    private var isScheduled = false
    /// The time until which nothing is sent, because Redis has failed to answer.
    private var pausedUntil: ContinuousClock.Instant?

    /// Makes a limiter.
    package nonisolated init(redis: RedisClient) {
        self.redis = redis
    }

    /// Charges a request to all its limits, or to none of them if one of them refuses the request.
    ///
    /// - Returns: a decision for each charge, in the order of the charges.
    package func charge(_ charges: [RateCharge]) -> [RateDecision] {
        let now = now
        let decisions = local.charge(charges, at: now)
        guard decisions.areAllowed else { return decisions }
        for charge in charges where charge.cost > 0 {
            guard unsent.count < Self.capacity || unsent[charge.key] != nil else { continue }
            unsent[charge.key, default: Unsent(cost: 0, since: now)].cost += charge.cost
        }
        if !unsent.isEmpty { schedule(after: Self.interval) }
        return decisions
    }

    /// Decides whether a request would be allowed, without charging it.
    package func decide(_ charges: [RateCharge]) -> [RateDecision] {
        local.decide(charges, at: now)
    }

    private var now: Int64 { Int64((ContinuousClock.now - start) / .microseconds(1)) }

    private func schedule(after delay: Duration) {
        guard !isScheduled else { return }
        if let end = pausedUntil {
            guard end <= .now else {
                unsent = [:]
                return
            }
            pausedUntil = nil
        }
        isScheduled = true
        Loop.schedule(after: delay) { [weak self] in self?.exchange() }
    }

    /// Sends costs to Redis, and learns the costs of the other processes.
    private func exchange() {
        isScheduled = false
        guard redis.isConnected else {
            // The requests are counted in this process.
            unsent = [:]
            return
        }
        let now = now
        let batch = Array(unsent.prefix(Self.batch))
        for (key, _) in batch { unsent[key] = nil }
        isScheduled = true
        redis.run(
            RateExchangeScript.script, keys: batch.map { .string($0.key) },
            arguments: batch.flatMap { [.integer(Int($0.value.cost)), .integer(Int(now - $0.value.since))] },
            timeout: Self.timeout
        ) { [weak self] result in
            guard let self else { return }
            isScheduled = false
            guard case .success(let value) = result, let aheads = value.array, aheads.count == batch.count else {
                // The costs are not sent again, because Redis may have counted them. What has gathered meanwhile would
                // be charged too late.
                unsent = [:]
                pausedUntil = .now + Self.pause
                return
            }
            for ((key, _), ahead) in zip(batch, aheads) {
                // Counted from the time of sending, so that a late reply does not make the client wait longer.
                local.raise(key, to: now + Int64(ahead.integer ?? 0) + (unsent[key]?.cost ?? 0), at: self.now)
            }
            if !unsent.isEmpty { schedule(after: batch.count < Self.batch ? Self.interval : .zero) }
        }
    }
}

/// The script that exchanges the charges of rate limits with Redis.
enum RateExchangeScript {
    /// Charges costs to several keys, whether their limits allow it or not, because the requests were already allowed.
    ///
    /// The value of `KEYS[i]` is the stored time of the key, as in ``RateLimitScript``. `ARGV[2i-1]` is the cost, and
    /// `ARGV[2i]` the time that has passed since the first of the charges, both in microseconds. The charges count from
    /// that time on. Returns, for each key, the time by which its stored time is ahead of the clock, in microseconds.
    static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local aheads = {}
        for i, key in ipairs(KEYS) do
          local cost, age = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
          local ahead = math.max(tonumber(redis.call('GET', key)) or 0, now - age) + cost - now
          if ahead > 0 then
            redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000) + 1)
          else
            ahead = 0
          end
          aheads[i] = ahead
        end
        return aheads
        """)
}
