internal import Contracts
internal import Crypto
internal import Reactor
internal import Redis
internal import WorkerKit

/// Delays the logins of an account that had too many failed logins recently.
///
/// It refuses no login, because an attacker could then lock out the account's owner. The delay comes before
/// the password check and is the same for right and wrong passwords, so the response time reveals nothing
/// about the password.
///
/// Failures are counted per email address, whether or not an account has the address. All workers share the
/// counts in Redis; while Redis is unreachable, each worker counts in its own memory. A key in Redis contains a
/// digest of the address, not the address.
@Loop final class LoginThrottle {
    /// The rate of failed logins above which logins are delayed; if `nil`, no login is delayed.
    private let limit: RateLimit?
    /// The length of the delay. It is well below the 5 s that the sender waits for the reply.
    private let delay: Duration
    private let limiter: RateLimiter
    private let delayed: BoundedDelay

    /// Makes a throttle.
    ///
    /// - Parameters:
    ///   - limit: the rate of failed logins above which logins are delayed; if `nil`, no login is delayed.
    ///   - delay: how long a login is delayed.
    ///   - capacity: the maximum number of logins that this worker delays at once.
    ///   - redis: stores the counts, which all workers share.
    nonisolated init(limit: RateLimit?, delay: Duration, capacity: Int, redis: RedisClient) {
        self.limit = limit
        self.delay = delay
        limiter = RateLimiter(redis: redis)
        delayed = BoundedDelay(capacity: capacity)
    }

    /// The number of logins that are delayed now.
    var delayedCount: Int { delayed.count }

    /// Checks a password. If the address has too many failures, the check is delayed.
    ///
    /// - Parameters:
    ///   - email: the address that the client sent, in lower case.
    ///   - check: checks the password and returns `nil` if it is wrong. `nil` counts as a failure, an error does not.
    /// - Returns: the result of the check.
    func attempt<Found: Sendable>(
        on email: String, _ check: @Loop () async throws -> Found?
    ) async throws -> Found? {
        guard let limit else { return try await check() }
        let key = Self.key(email)
        // A free charge reads the count without increasing it.
        let decisions = await limiter.charge([RateCharge(limit: limit, key: key, weight: 0)])
        if decisions.contains(where: { $0.remaining == 0 }) { await delayed.wait(for: delay) }
        let found = try await check()
        if found == nil { await limiter.charge([RateCharge(limit: limit, key: key)]) }
        return found
    }

    private static func key(_ email: String) -> String {
        "identity:failed-logins:" + Base64URL.encode(SHA256.hash(data: Array(email.utf8)))
    }
}

extension LoginThrottle {
    /// Makes a throttle from `WARREN_FAILED_LOGIN_LIMIT` (default `10/min`) and `WARREN_FAILED_LOGIN_DELAY`
    /// (milliseconds, default 2000).
    ///
    /// - Parameter prefetch: the maximum number of messages that the worker holds; up to half of them may be delayed
    ///   logins.
    /// - Throws: `SettingsError` if a setting is malformed.
    convenience nonisolated init(_ settings: Settings, prefetch: UInt16, redis: RedisClient) throws(SettingsError) {
        let limit = try settings.rateLimit("WARREN_FAILED_LOGIN_LIMIT", name: "failed-logins", default: "10/min")
        let delay = try settings.integer("WARREN_FAILED_LOGIN_DELAY", default: 2000, in: 0...3000)
        self.init(limit: limit, delay: .milliseconds(delay), capacity: Int(prefetch) / 2, redis: redis)
    }
}
