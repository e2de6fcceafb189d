internal import Logging
package import Reactor
package import Redis

/// Decides at once whether rate limits allow a request, from what this process knows. Several processes share the
/// limits, because each one tells Redis the charges that it has made, and learns those of the others, about every 20
/// ms.
///
/// Between two exchanges, each process can allow a client at most one burst, because it does not know the requests that
/// the others allow. These requests are charged too, and the client must wait for them afterwards. N processes together
/// allow at most N bursts at once, and in the long run exactly the rate of the limit. The same applies to a key that a
/// process has not seen yet: its state is fetched with the first exchange.
///
/// While Redis is not available, each process counts its own requests.
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
    /// The costs, in microseconds, that Redis has not been told yet, by key.
    private var untold: [String: Int64] = [:]
    private var isScheduled = false

    /// Makes a limiter.
    package nonisolated init(redis: RedisClient) {
        self.redis = redis
    }

    /// Charges a request to all its limits, or to none of them if one of them refuses the request.
    ///
    /// - Returns: a decision for each charge, in the order of the charges.
    package func charge(_ charges: [RateCharge]) -> [RateDecision] {
        let decisions = local.charge(charges, at: now)
        guard decisions.areAllowed else { return decisions }
        for charge in charges where charge.cost > 0 { untold[charge.key, default: 0] += charge.cost }
        if !untold.isEmpty { schedule(after: Self.interval) }
        return decisions
    }

    private var now: Int64 { Int64((ContinuousClock.now - start) / .microseconds(1)) }

    private func schedule(after delay: Duration) {
        guard !isScheduled else { return }
        isScheduled = true
        Loop.schedule(after: delay) { [weak self] in self?.exchange() }
    }

    /// Tells Redis the charges, and learns the charges of the other processes.
    private func exchange() {
        isScheduled = false
        guard redis.isConnected else {
            // The charges are counted in this process. Redis starts without them.
            untold = [:]
            return
        }
        let costs = Array(untold.prefix(Self.batch))
        for (key, _) in costs { untold[key] = nil }
        isScheduled = true
        redis.run(
            RateExchangeScript.script, keys: costs.map { .string($0.key) },
            arguments: costs.map { .integer(Int($0.value)) }, timeout: Self.timeout
        ) { [weak self] result in
            guard let self else { return }
            isScheduled = false
            guard case .success(let value) = result, let aheads = value.array, aheads.count == costs.count else {
                return schedule(after: Self.pause)
            }
            let now = now
            for ((key, _), ahead) in zip(costs, aheads) {
                local.raise(key, to: now + Int64(ahead.integer ?? 0) + (untold[key] ?? 0), at: now)
            }
            if !untold.isEmpty { schedule(after: Self.interval) }
        }
    }
}

/// The script that exchanges the charges of rate limits with Redis.
enum RateExchangeScript {
    /// Charges costs to several keys, whether their limits allow it or not, because the requests were already allowed.
    ///
    /// The value of `KEYS[i]` is the stored time of the key, as in ``RateLimitScript``. `ARGV[i]` is the cost in
    /// microseconds. Returns, for each key, the time by which its stored time is ahead of the clock, in microseconds.
    static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local aheads = {}
        for i, key in ipairs(KEYS) do
          local ahead = (tonumber(redis.call('GET', key)) or 0) - now
          if ahead < 0 then ahead = 0 end
          ahead = ahead + tonumber(ARGV[i])
          redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000) + 1)
          aheads[i] = ahead
        end
        return aheads
        """)
}
