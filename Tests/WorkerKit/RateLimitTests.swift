import Reactor
import Testing

@testable import WorkerKit

@Suite("Rate limits counted in one process")
struct RateLimitTests {
    private let limit = RateLimit(name: "test", count: 10, per: .seconds(1), burst: 5)

    @Test(
        "a rate limit is parsed from its text",
        arguments: [
            ("100/s burst 200", 10_000, 200), ("10/min", 6_000_000, 10), ("1000/h", 3_600_000, 1000),
            ("1/s", 1_000_000, 1),
        ])
    func parse(text: String, interval: Int64, burst: Int) throws {
        let limit = try #require(try RateLimit.parse(text, name: "x"))
        #expect(limit.interval == interval)
        #expect(limit.burst == burst)
    }

    @Test("off and 0 mean no rate limit", arguments: ["off", "0", "0/s"])
    func off(text: String) throws {
        #expect(try RateLimit.parse(text, name: "x") == nil)
    }

    @Test(
        "a text that is not a rate limit throws a ParseError",
        arguments: [
            "", "100", "/s", "100/", "100/d", "-1/s", "x/s", "1/s burst", "1/s burst 0", "1/s bursts 2", "1/s 2",
        ])
    func malformed(text: String) {
        #expect(throws: ParseError.self) { try RateLimit.parse(text, name: "x") }
    }

    @Test("a full burst is allowed at once, and then one request per interval")
    func burst() {
        var limiter = LocalRateLimiter()
        let charges = [RateCharge(limit: limit, key: "a")]
        for remaining in [4, 3, 2, 1, 0] {
            let decision = limiter.charge(charges, at: 0)[0]
            #expect(decision.isAllowed)
            #expect(decision.remaining == remaining)
        }
        let refused = limiter.charge(charges, at: 0)[0]
        #expect(!refused.isAllowed)
        #expect(refused.remaining == 0)
        #expect(refused.retryAfter == 1)
        #expect(!limiter.charge(charges, at: 99_999)[0].isAllowed)
        #expect(limiter.charge(charges, at: 100_000)[0].isAllowed)
        #expect(!limiter.charge(charges, at: 100_000)[0].isAllowed)
        #expect(limiter.charge(charges, at: 10_000_000)[0].remaining == 4)
    }

    @Test("a limit of 10 requests per second with a burst of 5 allows 104 or 105 requests in 10 s")
    func longRun() {
        var limiter = LocalRateLimiter()
        let charges = [RateCharge(limit: limit, key: "a")]
        let allowed = (0..<10_000).count { limiter.charge(charges, at: Int64($0) * 1000)[0].isAllowed }
        #expect((104...105).contains(allowed))
    }

    @Test("rate limits count each key separately")
    func keys() {
        var limiter = LocalRateLimiter()
        for _ in 0..<5 { _ = limiter.charge([RateCharge(limit: limit, key: "a")], at: 0) }
        #expect(limiter.charge([RateCharge(limit: limit, key: "b")], at: 0)[0].isAllowed)
    }

    @Test("if one limit refuses a request, the other limits are not charged")
    func together() {
        var limiter = LocalRateLimiter()
        let strict = RateLimit(name: "strict", count: 1, per: .seconds(60))
        let both = [RateCharge(limit: limit, key: "a"), RateCharge(limit: strict, key: "b")]
        #expect(limiter.charge(both, at: 0).areAllowed)
        for _ in 0..<10 {
            let decisions = limiter.charge(both, at: 0)
            #expect(decisions.map(\.isAllowed) == [true, false])
            #expect(decisions.retryAfter == 60)
        }
        #expect(limiter.charge([RateCharge(limit: limit, key: "a")], at: 0)[0].remaining == 3)
    }

    @Test("a free charge is allowed, returns the current state and changes nothing")
    func free() {
        var limiter = LocalRateLimiter()
        let charges = [RateCharge(limit: limit, key: "a")]
        let freeCharges = [RateCharge(limit: limit, key: "a", weight: 0)]
        #expect(limiter.charge(freeCharges, at: 0)[0].remaining == 5)
        for _ in 0..<5 { _ = limiter.charge(charges, at: 0) }
        for _ in 0..<3 {
            let decision = limiter.charge(freeCharges, at: 0)[0]
            #expect(decision.isAllowed && decision.remaining == 0 && decision.reset == 1)
        }
        #expect(limiter.charge(charges, at: 100_000)[0].isAllowed)
        #expect(limiter.charge([RateCharge(limit: limit, key: "b", weight: 0)], at: 0)[0].remaining == 5)
        #expect(limiter.count == 1)
    }

    @Test("the local rate limiter keeps at most as many keys as its capacity")
    func bounded() {
        var limiter = LocalRateLimiter(capacity: 100)
        for number in 0..<10_000 { _ = limiter.charge([RateCharge(limit: limit, key: "\(number)")], at: 0) }
        #expect(limiter.count <= 100)
    }
}
