package import Reactor
package import Redis

/// Decides whether rate limits allow a request. Requests are counted in Redis, for all processes together. While Redis
/// is not available, each process counts its own requests.
@Loop package final class RateLimiter {
    /// How long a request waits for Redis.
    private static let timeout: Duration = .milliseconds(100)
    /// How long the process counts its own requests after Redis has not answered a request in time.
    private static let pause: Duration = .seconds(1)

    private let redis: RedisClient
    private let start = ContinuousClock.now
    private var local = LocalRateLimiter()
    /// The time until which the process does not ask Redis, because Redis has failed to answer; `nil` if Redis has not
    /// failed.
    private var localUntil: ContinuousClock.Instant?

    /// Makes a limiter.
    package nonisolated init(redis: RedisClient) {
        self.redis = redis
    }

    /// Charges a request to all its limits, or to none of them if one of them refuses the request.
    ///
    /// - Parameter decided: called once, on the loop, with a decision for each charge. If Redis is not available or
    ///   `charges` is empty, it is called before this function returns.
    package func charge(_ charges: [RateCharge], decided: @escaping @Loop ([RateDecision]) -> Void) {
        guard !charges.isEmpty else { return decided([]) }
        guard redis.isConnected, !avoidsRedis else { return decided(chargeLocally(charges)) }
        redis.run(
            RateLimitScript.script, keys: charges.map { .string($0.key) },
            arguments: charges.flatMap { [.integer(Int($0.cost)), .integer(Int($0.limit.tolerance))] },
            timeout: Self.timeout
        ) { result in
            guard case .success(let value) = result, let decisions = Self.decisions(charges, value) else {
                self.localUntil = .now + Self.pause
                return decided(self.chargeLocally(charges))
            }
            decided(decisions)
        }
    }

    /// Charges a request to all its limits, or to none of them if one of them refuses the request.
    ///
    /// - Returns: a decision for each charge, in the order of the charges.
    @discardableResult package func charge(_ charges: [RateCharge]) async -> [RateDecision] {
        await withCheckedContinuation { continuation in
            charge(charges) { continuation.resume(returning: $0) }
        }
    }

    private func chargeLocally(_ charges: [RateCharge]) -> [RateDecision] {
        local.charge(charges, at: Int64((ContinuousClock.now - start) / .microseconds(1)))
    }

    private var avoidsRedis: Bool {
        guard let end = localUntil else { return false }
        return .now < end
    }

    private static func decisions(_ charges: [RateCharge], _ value: RedisValue) -> [RateDecision]? {
        guard let answer = value.array, answer.count == charges.count * 2 else { return nil }
        var decisions: [RateDecision] = []
        for (index, charge) in charges.enumerated() {
            guard let allowed = answer[index * 2].integer, let ahead = answer[index * 2 + 1].integer else { return nil }
            decisions.append(
                RateDecision(
                    limit: charge.limit, isAllowed: allowed == 1, ahead: Int64(ahead), cost: charge.cost))
        }
        return decisions
    }
}
