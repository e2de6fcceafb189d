import FaultProxy
import Reactor
import Redis
import TestSupport
import Testing
import WorkerKit

@Suite("Rate limits that several processes share", .timeLimit(.minutes(1)))
struct SharedRateLimiterTests {
    private let limit = RateLimit(name: "test", count: 1, per: .seconds(10), burst: 10)

    @Test("requests are decided at once, and each process learns the charges of the others")
    func shared() async throws {
        try await withTestRedis { (redis) async throws in
            #expect(try await eventually { redis.isConnected })
            let processes = [SharedRateLimiter(redis: redis), SharedRateLimiter(redis: redis)]
            let key = "rate:test:\(UInt64.random(in: 0...UInt64.max))"
            let charges = [RateCharge(limit: limit, key: key)]
            for remaining in [9, 8, 7, 6, 5, 4] { #expect(processes[0].charge(charges)[0].remaining == remaining) }
            // The key is new to the second process, so its first request is allowed without knowing the state.
            #expect(processes[1].charge(charges)[0].remaining == 9)
            let free = [RateCharge(limit: limit, key: key, weight: 0)]
            #expect(try await eventually { processes[1].charge(free)[0].remaining == 3 })
            #expect(processes[0].charge(charges).areAllowed)
            #expect(try await eventually { processes[0].charge(free)[0].remaining == 2 })
            _ = try await redis.send(["DEL", .string(key)])
        }
    }

    @Test("processes that do not know of each other allow one burst each, and the client must then wait for all of it")
    func bound() async throws {
        try await withTestRedis { (redis) async throws in
            #expect(try await eventually { redis.isConnected })
            let processes = (0..<3).map { _ in SharedRateLimiter(redis: redis) }
            let key = "rate:test:\(UInt64.random(in: 0...UInt64.max))"
            let charges = [RateCharge(limit: limit, key: key)]
            var allowed = 0
            // No exchange can happen in between, because the loop is not left.
            for process in processes { for _ in 0..<20 where process.charge(charges).areAllowed { allowed += 1 } }
            #expect(allowed == 30)
            // 30 requests cost 300 s, and up to 100 s are tolerated.
            func wait() async throws -> Int { try await redis.send(["PTTL", .string(key)]).integer ?? 0 }
            #expect(try await eventually { try await (290_000...300_001).contains(wait()) })
            for process in processes {
                #expect(try await eventually { !process.charge(charges).areAllowed })
                let refused = process.charge(charges)[0]
                #expect(!refused.isAllowed)
            }
            _ = try await redis.send(["DEL", .string(key)])
        }
    }

    @Test("while Redis is not available, the process counts its own requests")
    func away() async throws {
        try await withTestRedis("redis://127.0.0.1:1/0") { redis in
            let limiter = SharedRateLimiter(redis: redis)
            let charges = [RateCharge(limit: limit, key: "a")]
            for _ in 0..<5 { #expect(limiter.charge(charges).areAllowed) }
            try await Loop.sleep(for: .milliseconds(100))
            for _ in 0..<5 { #expect(limiter.charge(charges).areAllowed) }
            #expect(!limiter.charge(charges).areAllowed)
        }
    }

    @Test("a client that keeps to a limit with a small burst is not refused, although its costs are sent late")
    func steady() async throws {
        try await withTestRedis { (redis) async throws in
            #expect(try await eventually { redis.isConnected })
            let limiter = SharedRateLimiter(redis: redis)
            let key = "rate:steady:\(UInt64.random(in: 0...UInt64.max))"
            // Half of the limit, so that the pauses of a busy machine do not matter.
            let steady = RateLimit(name: "steady", count: 100, per: .seconds(1), burst: 2)
            for _ in 0..<50 {
                #expect(limiter.charge([RateCharge(limit: steady, key: key)]).areAllowed)
                try await Loop.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test("costs that were charged while Redis refused to answer are not charged afterwards")
    func outage() async throws {
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
            try FaultProxy(to: $0)
        }
        try await withTestRedis(url) { (redis) async throws in
            #expect(try await eventually { redis.isConnected })
            let limiter = SharedRateLimiter(redis: redis)
            let key = "rate:test:\(UInt64.random(in: 0...UInt64.max))"
            proxy.stall()
            for _ in 0..<5 { #expect(limiter.charge([RateCharge(limit: limit, key: key)]).areAllowed) }
            // Redis has one second to answer.
            try await Loop.sleep(for: .milliseconds(1500))
            proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { redis.isConnected })
            #expect(limiter.charge([RateCharge(limit: limit, key: key)])[0].remaining == 4)
            proxy.stop()
        }
    }

    @Test("many keys are exchanged in several calls")
    func manyKeys() async throws {
        try await withTestRedis { (redis) async throws in
            #expect(try await eventually { redis.isConnected })
            let processes = [SharedRateLimiter(redis: redis), SharedRateLimiter(redis: redis)]
            let suffix = "\(UInt64.random(in: 0...UInt64.max))"
            let charges = (0..<1700).map { RateCharge(limit: limit, key: "rate:test:\($0):\(suffix)") }
            for charge in charges { #expect(processes[0].charge([charge]).areAllowed) }
            #expect(
                try await eventually {
                    try await redis.send(["EXISTS"] + charges.map { .string($0.key) }).integer == charges.count
                })
            for charge in charges { #expect(processes[1].charge([charge])[0].remaining == 9) }
            #expect(
                try await eventually {
                    charges.allSatisfy {
                        processes[1].decide([RateCharge(limit: limit, key: $0.key, weight: 0)])[0].remaining == 8
                    }
                })
            _ = try await redis.send(["DEL"] + charges.map { .string($0.key) })
        }
    }
}
