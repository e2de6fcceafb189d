import Contracts
import DatabaseSupport
import FoundationEssentials
import Logging
import Reactor
import Redis
import TestSupport
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Failed logins", .timeLimit(.minutes(2)))
@Loop struct LoginThrottleTests {
    /// Longer than a busy machine holds up anything by itself.
    private static let delay: Duration = .milliseconds(1000)
    private static let free = 3

    /// A worker's count of failures, on the real Redis unless another address is given.
    private func failedLogins(
        _ redis: RedisClient, free: Int = Self.free, capacity: Int = 32, delay: Duration = Self.delay
    ) -> LoginThrottle {
        LoginThrottle(
            limit: RateLimit(name: "failed-logins", count: free, per: .seconds(600)), delay: delay,
            capacity: capacity, redis: redis)
    }

    /// Makes a login, and tells whether it was held up before its password was checked.
    private func isHeldUp(_ logins: LoginThrottle, _ email: String, isRight: Bool = false) async throws -> Bool {
        let start = ContinuousClock.now
        var checked = start
        _ = try await logins.attempt(on: email) {
            checked = .now
            return isRight ? true : nil
        }
        return checked - start >= Self.delay
    }

    private func email() -> String { "\(UUID().text)@example.org" }

    @Test("past so many a minute, an account's logins are slowed down, right and wrong ones alike, and no other's")
    func slowed() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let (logins, email) = (failedLogins(redis), email())
            for _ in 0..<Self.free { #expect(try await !isHeldUp(logins, email)) }
            #expect(try await isHeldUp(logins, email))
            #expect(try await isHeldUp(logins, email, isRight: true))
            #expect(try await !isHeldUp(logins, self.email()))
        }
    }

    @Test("logins that succeed are never counted, nor those that fail for no fault of the caller's")
    func successes() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let (logins, email) = (failedLogins(redis), email())
            for _ in 0..<Self.free * 3 { #expect(try await !isHeldUp(logins, email, isRight: true)) }
            for _ in 0..<Self.free * 3 {
                await #expect(throws: Lost.self) {
                    _ = try await logins.attempt(on: email) { () -> Bool? in throw Lost() }
                }
            }
            #expect(try await !isHeldUp(logins, email))
        }
    }

    private struct Lost: Error {}

    @Test("are counted by all workers together, and under a name that tells no address")
    func shared() async throws {
        try await TestRedis.withClient { (redis) async throws in
            try await TestRedis.withClient { (other) async throws in
                let (email, workers) = (email(), [failedLogins(redis), failedLogins(other)])
                for number in 0..<Self.free { _ = try await isHeldUp(workers[number % 2], email) }
                for worker in workers { #expect(try await isHeldUp(worker, email)) }
                let keys = try await redis.send(["KEYS", "*"]).array?.compactMap(\.string) ?? []
                #expect(keys.contains { $0.hasPrefix("identity:failed-logins:") })
                #expect(!keys.contains { $0.contains(email) })
            }
        }
    }

    @Test("are forgotten in time: the account is as it was")
    func forgotten() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let email = email()
            let logins = LoginThrottle(
                limit: RateLimit(name: "failed-logins", count: 2, per: .seconds(2)), delay: Self.delay, capacity: 32,
                redis: redis)
            for _ in 0..<3 { _ = try await isHeldUp(logins, email) }
            try await Loop.sleep(for: .seconds(3))
            #expect(try await !isHeldUp(logins, email))
        }
    }

    @Test("are not held against anyone where the limit is off")
    func off() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let logins = LoginThrottle(limit: nil, delay: Self.delay, capacity: 32, redis: redis)
            let email = email()
            for _ in 0..<50 { #expect(try await !isHeldUp(logins, email)) }
        }
    }

    @Test("never lock the owner out: while dozens of wrong ones are held up, the right password gets in")
    func owner() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let logins = failedLogins(redis, capacity: 8, delay: .seconds(3))
            try await IdentityFixture.with {
                $0.throttle = logins
            } _: { fixture in
                let account = try await fixture.register().account
                for _ in 0..<Self.free { _ = try await fixture.login(account, password: "wrong password") }
                try await withThrowingTaskGroup(of: Reply.self) { group in
                    for _ in 0..<30 {
                        group.addTask { try await fixture.login(account, password: "wrong password") }
                    }
                    #expect(try await eventually { logins.delayedCount == 8 })
                    #expect(try await fixture.login(account).status == 200)
                    for try await reply in group { #expect(reply.code == "invalid-credentials") }
                }
            }
        }
    }

    @Test("hold up only so many at once: who comes past that sends on who has waited the longest, and none is refused")
    func room() async throws {
        let room = BoundedDelay(capacity: 3)
        let visitors = Visitors()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask { await visitors.visit(room, number) }
                let isIn = try? await eventually {
                    room.count == min(3, number + 1) && visitors.left.count == max(0, number - 2)
                }
                #expect(isIn == true)
            }
            #expect(visitors.left == [0, 1, 2])
            #expect(room.count == 3)
            group.cancelAll()
        }
        #expect(visitors.left.count == 6)
        #expect(room.count == 0)
        await BoundedDelay(capacity: 0).wait(for: .milliseconds(1))
    }

    /// Those who have left a room, in their order.
    @Loop private final class Visitors {
        private(set) var left: [Int] = []

        func visit(_ room: BoundedDelay, _ number: Int) async {
            await room.wait(for: .seconds(30))
            left.append(number)
        }
    }

    @Test("of one account hold up no other's logins")
    func others() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let logins = failedLogins(redis, capacity: 4, delay: .seconds(3))
            let (email, other) = (email(), email())
            for _ in 0..<Self.free { _ = try await isHeldUp(logins, email) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await isHeldUp(logins, email) } }
                #expect(try await eventually { logins.delayedCount == 4 })
                for _ in 0..<10 { _ = try await isHeldUp(logins, other, isRight: true) }
                #expect(logins.delayedCount == 4)
                group.cancelAll()
            }
        }
    }

    @Test("whose Redis goes away in the middle still end, with the right answer, and are counted by the worker itself")
    func redisLost() async throws {
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
            try FaultProxy(to: $0)
        }
        defer { proxy.stop() }
        try await TestRedis.withClient(url) { (redis) async throws in
            let logins = failedLogins(redis)
            try await IdentityFixture.with {
                $0.throttle = logins
            } _: { fixture in
                let account = try await fixture.register().account
                for _ in 0..<Self.free { _ = try await fixture.login(account, password: "wrong password") }
                async let right = fixture.login(account)
                async let wrong = fixture.login(account, password: "wrong password")
                #expect(try await eventually { logins.delayedCount == 2 })
                proxy.refuse()
                #expect(try await right.status == 200)
                #expect(try await wrong.code == "invalid-credentials")

                // From now on this worker counts by itself: it begins anew, and holds up past the limit as before.
                #expect(try await eventually { !redis.isConnected })
                for _ in 0..<Self.free { _ = try await fixture.login(account, password: "wrong password") }
                async let slow = fixture.login(account)
                #expect(try await eventually { logins.delayedCount == 1 })
                #expect(try await slow.status == 200)
            }
        }
    }

    @Test("whose Redis hangs in the middle still end, with the right answer")
    func redisHung() async throws {
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
            try FaultProxy(to: $0)
        }
        defer { proxy.stop() }
        try await TestRedis.withClient(url) { (redis) async throws in
            let (logins, email) = (failedLogins(redis), email())
            for _ in 0..<Self.free { _ = try await isHeldUp(logins, email) }
            async let slow = logins.attempt(on: email) { true }
            #expect(try await eventually { logins.delayedCount == 1 })
            proxy.stall()
            #expect(try await slow == true)
            let start = ContinuousClock.now
            for _ in 0..<Self.free { #expect(try await logins.attempt(on: email) { () -> Bool? in nil } == nil) }
            #expect(try await isHeldUp(logins, email, isRight: true))
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test("count at a change of the password too: who holds a token guesses no faster there")
    func changes() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let logins = failedLogins(redis, delay: .seconds(2))
            try await IdentityFixture.with {
                $0.throttle = logins
            } _: { fixture in
                let account = try await fixture.register().account
                func change(_ password: String) async throws -> Reply {
                    let body = ChangePassword(currentPassword: password, newPassword: "another password")
                    return try await fixture.call(Messages.Identity.changePassword, body, as: account)
                }
                for _ in 0..<Self.free { #expect(try await change("wrong password").status == 401) }
                async let changed = change(IdentityFixture.password)
                #expect(try await eventually { logins.delayedCount == 1 })
                #expect(try await changed.status == 204)
            }
        }
    }

    @Test(
        "are limited as configured, and a limit that is none ends the daemon",
        arguments: [
            ("WARREN_FAILED_LOGIN_LIMIT", "ten"), ("WARREN_FAILED_LOGIN_DELAY", "4000"),
            ("WARREN_FAILED_LOGIN_DELAY", "2s"),
        ])
    func settings(variable: String, text: String) throws {
        let redis = RedisClient(address: try RedisAddress(url: "redis://127.0.0.1:1"), name: "", log: .quiet)
        let fault = #expect(throws: Settings.Fault.self) {
            try LoginThrottle(Settings(environment: [variable: text]), prefetch: 64, redis: redis)
        }
        #expect(fault?.variable == variable)
        _ = try LoginThrottle(Settings(environment: ["WARREN_FAILED_LOGIN_LIMIT": "off"]), prefetch: 64, redis: redis)
        _ = try LoginThrottle(Settings(environment: [:]), prefetch: 64, redis: redis)
    }
}
