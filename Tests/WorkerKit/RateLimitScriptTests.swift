import FaultProxy
import Reactor
import Redis
import TestSupport
import Testing
import WorkerKit

@Suite("Rate limits in Redis")
struct RateLimitScriptTests {
    private let limit = RateLimit(name: "test", count: 1, per: .seconds(10), burst: 3)

    @Loop private func charge(_ limiter: RateLimiter, _ charges: [RateCharge]) async -> [RateDecision] {
        await withCheckedContinuation { continuation in
            limiter.charge(charges) { continuation.resume(returning: $0) }
        }
    }

    @Test("a rate limit in Redis allows a burst and then refuses, and its key expires when it no longer limits")
    func decides() async throws {
        try await withTestRedis { (redis) async throws in
            #expect(try await eventually { redis.isConnected })
            let limiter = RateLimiter(redis: redis)
            let key = "rate:test:\(UInt64.random(in: 0...UInt64.max))"
            let charges = [RateCharge(limit: limit, key: key)]
            let begin = ContinuousClock.now
            for remaining in [2, 1, 0] {
                let decision = await charge(limiter, charges)[0]
                #expect(decision.isAllowed)
                #expect(decision.remaining == remaining)
            }
            let free = await charge(limiter, [RateCharge(limit: limit, key: key, weight: 0)])[0]
            #expect(free.isAllowed && free.remaining == 0)
            let refused = await charge(limiter, charges)[0]
            #expect(!refused.isAllowed)
            let timeToLive = try await redis.send(["PTTL", .string(key)]).integer ?? 0
            // The limit's times are 10 s and 30 s, less the time that has passed since the first request.
            let elapsed = Int((.now - begin) / .milliseconds(1))
            #expect((10 - elapsed / 1000 - 1...10).contains(refused.retryAfter))
            #expect((30_000 - elapsed - 1...30_002).contains(timeToLive))
            _ = try await redis.send(["DEL", .string(key)])
            #expect(await charge(limiter, [RateCharge(limit: limit, key: key, weight: 0)])[0].remaining == 3)
            #expect(try await redis.send(["EXISTS", .string(key)]).integer == 0)
        }
    }

    @Test("if one of several rate limits in Redis refuses a request, none of them is charged")
    func allOrNothing() async throws {
        try await withTestRedis { (redis) async throws in
            #expect(try await eventually { redis.isConnected })
            let limiter = RateLimiter(redis: redis)
            let strict = RateLimit(name: "strict", count: 1, per: .seconds(60))
            let suffix = "\(UInt64.random(in: 0...UInt64.max))"
            let both = [
                RateCharge(limit: limit, key: "rate:test:\(suffix)"),
                RateCharge(limit: strict, key: "rate:strict:\(suffix)"),
            ]
            #expect(await charge(limiter, both).areAllowed)
            #expect(await charge(limiter, both).map(\.isAllowed) == [true, false])
            #expect(await charge(limiter, both).map(\.isAllowed) == [true, false])
            #expect(await charge(limiter, [both[0]])[0].remaining == 1)
            for charge in both { _ = try await redis.send(["DEL", .string(charge.key)]) }
        }
    }

    @Test("while Redis is not available, the process counts requests itself")
    func away() async throws {
        try await withTestRedis("redis://127.0.0.1:1/0") { redis in
            let limiter = RateLimiter(redis: redis)
            let charges = [RateCharge(limit: limit, key: "a")]
            for _ in 0..<3 { #expect(await charge(limiter, charges).areAllowed) }
            #expect(await !charge(limiter, charges).areAllowed)
        }
    }

    @Test("if Redis does not answer, one request waits for the timeout and the next requests do not wait")
    func silent() async throws {
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
            try FaultProxy(to: $0)
        }
        try await withTestRedis(url) { (redis) async throws in
            #expect(try await eventually { redis.isConnected })
            let limiter = RateLimiter(redis: redis)
            proxy.stall()
            let charges = [RateCharge(limit: limit, key: "a")]
            let start = ContinuousClock.now
            for _ in 0..<3 { #expect(await charge(limiter, charges).areAllowed) }
            #expect(await !charge(limiter, charges).areAllowed)
            #expect(ContinuousClock.now - start < .seconds(5))
            proxy.stop()
        }
    }
}
