internal import Contracts
internal import Crypto
internal import Reactor
internal import Redis
internal import WorkerKit

/// Slows down the logins of an account on which many have failed lately; it refuses none, so that nobody can lock an
/// account's owner out.
///
/// Right and wrong passwords are held up alike, before they are checked: an answer's time tells nothing. Failures are
/// counted in Redis for all workers together, in the process while Redis is away, under names that tell no address, and
/// for addresses that no account has too.
@Loop final class FailedLogins {
    /// How many failures are free, and how soon they are forgotten; nothing where logins are never slowed down.
    private let limit: RateLimit?
    /// How long a login is held up; well within the five seconds that its sender waits.
    private let delay: Duration
    private let limiter: RateLimiter
    private let room: WaitingRoom

    /// Makes the count.
    ///
    /// - Parameter places: how many logins are held up at once by this worker.
    nonisolated init(limit: RateLimit?, delay: Duration, places: Int, redis: RedisClient) {
        self.limit = limit
        self.delay = delay
        limiter = RateLimiter(redis: redis)
        room = WaitingRoom(capacity: places)
    }

    /// How many logins are held up now.
    var waitingCount: Int { room.count }

    /// Lets a password be checked, after a while where too many have been wrong.
    ///
    /// - Parameters:
    ///   - email: whose password it is said to be, in lower case.
    ///   - check: returns nothing where the password is wrong; where it throws, that is no failure of the caller's.
    func attempt<Found: Sendable>(
        on email: String, _ check: @Loop () async throws -> Found?
    ) async throws -> Found? {
        guard let limit else { return try await check() }
        let key = Self.key(email)
        let standing = await limiter.charge([RateCharge(limit: limit, key: key, isFree: true)])
        if standing.contains(where: { $0.remaining == 0 }) { await room.wait(for: delay) }
        let found = try await check()
        if found == nil { await limiter.charge([RateCharge(limit: limit, key: key)]) }
        return found
    }

    private static func key(_ email: String) -> String {
        "identity:failed-logins:" + Base64URL.encode(SHA256.hash(data: Array(email.utf8)))
    }
}

extension FailedLogins {
    /// Reads `WARREN_FAILED_LOGIN_LIMIT` and `WARREN_FAILED_LOGIN_DELAY`.
    ///
    /// - Parameter prefetch: how many messages the worker holds at most; half of them may be held up.
    convenience nonisolated init(_ settings: Settings, prefetch: UInt16, redis: RedisClient) throws(Settings.Fault) {
        let variable = "WARREN_FAILED_LOGIN_LIMIT"
        let text = try settings.text(variable) ?? "10/min"
        let limit: RateLimit?
        do throws(RateLimit.Malformed) {
            limit = try RateLimit.parse(text, name: "failed-logins")
        } catch {
            throw Settings.Fault(variable, "\(error)")
        }
        let delay = try settings.integer("WARREN_FAILED_LOGIN_DELAY", default: 2000, in: 0...3000)
        self.init(limit: limit, delay: .milliseconds(delay), places: Int(prefetch) / 2, redis: redis)
    }
}
