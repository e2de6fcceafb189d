import Contracts
import DatabaseSupport
import FaultProxy
import FoundationEssentials
import Logging
import Reactor
import Redis
import TestSupport
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Login throttle", .timeLimit(.minutes(2)))
@Loop struct LoginThrottleTests {
    /// Longer than any delay that a busy machine causes.
    private static let delay: Duration = .milliseconds(1000)
    /// The number of failed logins that cause no delay.
    private static let freeFailures = 3

    /// Returns a worker's throttle.
    private func makeThrottle(
        _ redis: RedisClient, capacity: Int = 32, delay: Duration = Self.delay
    ) -> LoginThrottle {
        LoginThrottle(
            limit: RateLimit(name: "failed-logins", count: Self.freeFailures, per: .seconds(600)), delay: delay,
            capacity: capacity, redis: redis)
    }

    /// Attempts a login and returns whether it was delayed before the password check.
    private func isDelayed(_ throttle: LoginThrottle, _ email: String, isRight: Bool = false) async throws -> Bool {
        let start = ContinuousClock.now
        var checked = start
        _ = try await throttle.attempt(on: email) {
            checked = .now
            return isRight ? true : nil
        }
        return checked - start >= Self.delay
    }

    private func email() -> String { "\(UUID().text)@example.org" }

    @Test(
        "after too many failed logins, all logins with that email are delayed, and no login with another email is")
    func slowed() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let (throttle, email) = (makeThrottle(redis), email())
            for _ in 0..<Self.freeFailures { #expect(try await !isDelayed(throttle, email)) }
            #expect(try await isDelayed(throttle, email))
            #expect(try await isDelayed(throttle, email, isRight: true))
            #expect(try await !isDelayed(throttle, self.email()))
        }
    }

    @Test("successful logins, and password checks that throw an error, do not count as failed logins")
    func successes() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let (throttle, email) = (makeThrottle(redis), email())
            for _ in 0..<Self.freeFailures * 3 { #expect(try await !isDelayed(throttle, email, isRight: true)) }
            for _ in 0..<Self.freeFailures * 3 {
                await #expect(throws: CheckFailed.self) {
                    _ = try await throttle.attempt(on: email) { () -> Bool? in throw CheckFailed() }
                }
            }
            #expect(try await !isDelayed(throttle, email))
        }
    }

    private struct CheckFailed: Error {}

    @Test("all workers share the count of failed logins, under a Redis key without the email")
    func shared() async throws {
        try await TestRedis.withClient { (redis) async throws in
            try await TestRedis.withClient { (other) async throws in
                let (email, workers) = (email(), [makeThrottle(redis), makeThrottle(other)])
                for number in 0..<Self.freeFailures { _ = try await isDelayed(workers[number % 2], email) }
                for worker in workers { #expect(try await isDelayed(worker, email)) }
                let keys = try await redis.send(["KEYS", "*"]).array?.compactMap(\.string) ?? []
                #expect(keys.contains { $0.hasPrefix("identity:failed-logins:") })
                #expect(!keys.contains { $0.contains(email) })
            }
        }
    }

    @Test("after the failed logins have expired, logins with that email are not delayed")
    func forgotten() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let email = email()
            let throttle = LoginThrottle(
                limit: RateLimit(name: "failed-logins", count: 2, per: .seconds(2)), delay: Self.delay, capacity: 32,
                redis: redis)
            for _ in 0..<3 { _ = try await isDelayed(throttle, email) }
            try await Loop.sleep(for: .seconds(3))
            #expect(try await !isDelayed(throttle, email))
        }
    }

    @Test("if no limit of failed logins is set, no login is delayed")
    func off() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let throttle = LoginThrottle(limit: nil, delay: Self.delay, capacity: 32, redis: redis)
            let email = email()
            for _ in 0..<50 { #expect(try await !isDelayed(throttle, email)) }
        }
    }

    @Test("the owner of an account can log in while many logins with wrong passwords are delayed")
    func owner() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let throttle = makeThrottle(redis, capacity: 8, delay: .seconds(3))
            try await IdentityFixture.with {
                $0.throttle = throttle
            } _: { fixture in
                let account = try await fixture.register().account
                for _ in 0..<Self.freeFailures { _ = try await fixture.login(account, password: "wrong password") }
                try await withThrowingTaskGroup(of: Reply.self) { group in
                    for _ in 0..<30 {
                        group.addTask { try await fixture.login(account, password: "wrong password") }
                    }
                    #expect(try await eventually { throttle.delayedCount == 8 })
                    #expect(try await fixture.login(account).status == 200)
                    for try await reply in group { #expect(reply.code == "invalid-credentials") }
                }
            }
        }
    }

    @Test("a delay that is full releases the longest waiting caller for each new caller")
    func boundedDelay() async throws {
        let delay = BoundedDelay(capacity: 3)
        let recorder = ReleaseRecorder()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask { await recorder.wait(in: delay, number) }
                let isFull = try? await eventually {
                    delay.count == min(3, number + 1) && recorder.released.count == max(0, number - 2)
                }
                #expect(isFull == true)
            }
            #expect(recorder.released == [0, 1, 2])
            #expect(delay.count == 3)
            group.cancelAll()
        }
        #expect(recorder.released.count == 6)
        #expect(delay.count == 0)
        await BoundedDelay(capacity: 0).wait(for: .milliseconds(1))
    }

    /// Records the order in which callers are released.
    @Loop private final class ReleaseRecorder {
        private(set) var released: [Int] = []

        func wait(in delay: BoundedDelay, _ number: Int) async {
            await delay.wait(for: .seconds(30))
            released.append(number)
        }
    }

    @Test("logins of one account are not delayed by the delayed logins of another account")
    func others() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let throttle = makeThrottle(redis, capacity: 4, delay: .seconds(3))
            let (email, other) = (email(), email())
            for _ in 0..<Self.freeFailures { _ = try await isDelayed(throttle, email) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await isDelayed(throttle, email) } }
                #expect(try await eventually { throttle.delayedCount == 4 })
                for _ in 0..<10 { _ = try await isDelayed(throttle, other, isRight: true) }
                #expect(throttle.delayedCount == 4)
                group.cancelAll()
            }
        }
    }

    @Test("if Redis becomes unreachable, delayed logins get the right reply and the worker counts failures itself")
    func redisLost() async throws {
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
            try FaultProxy(to: $0)
        }
        defer { proxy.stop() }
        try await TestRedis.withClient(url) { (redis) async throws in
            let throttle = makeThrottle(redis)
            try await IdentityFixture.with {
                $0.throttle = throttle
            } _: { fixture in
                let account = try await fixture.register().account
                for _ in 0..<Self.freeFailures { _ = try await fixture.login(account, password: "wrong password") }
                async let right = fixture.login(account)
                async let wrong = fixture.login(account, password: "wrong password")
                #expect(try await eventually { throttle.delayedCount == 2 })
                proxy.refuse()
                #expect(try await right.status == 200)
                #expect(try await wrong.code == "invalid-credentials")

                // The worker now counts in its own memory from zero.
                #expect(try await eventually { !redis.isConnected })
                for _ in 0..<Self.freeFailures { _ = try await fixture.login(account, password: "wrong password") }
                async let slow = fixture.login(account)
                #expect(try await eventually { throttle.delayedCount == 1 })
                #expect(try await slow.status == 200)
            }
        }
    }

    @Test("if Redis does not respond, logins get the right result and are still delayed after failures")
    func redisHung() async throws {
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) {
            try FaultProxy(to: $0)
        }
        defer { proxy.stop() }
        try await TestRedis.withClient(url) { (redis) async throws in
            let (throttle, email) = (makeThrottle(redis), email())
            for _ in 0..<Self.freeFailures { _ = try await isDelayed(throttle, email) }
            async let slow = throttle.attempt(on: email) { true }
            #expect(try await eventually { throttle.delayedCount == 1 })
            proxy.stall()
            #expect(try await slow == true)
            let start = ContinuousClock.now
            for _ in 0..<Self.freeFailures {
                #expect(try await throttle.attempt(on: email) { () -> Bool? in nil } == nil)
            }
            #expect(try await isDelayed(throttle, email, isRight: true))
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test("wrong current passwords in password changes count as failed logins")
    func changes() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let throttle = makeThrottle(redis, delay: .seconds(2))
            try await IdentityFixture.with {
                $0.throttle = throttle
            } _: { fixture in
                let account = try await fixture.register().account
                func change(_ password: String) async throws -> Reply {
                    let body = ChangePassword(currentPassword: password, newPassword: "another password")
                    return try await fixture.call(Messages.Identity.changePassword, body, as: account)
                }
                for _ in 0..<Self.freeFailures { #expect(try await change("wrong password").status == 401) }
                async let changed = change(IdentityFixture.password)
                #expect(try await eventually { throttle.delayedCount == 1 })
                #expect(try await changed.status == 204)
            }
        }
    }

    @Test(
        "a malformed limit or delay of failed logins is a settings error that names the variable",
        arguments: [
            ("WARREN_FAILED_LOGIN_LIMIT", "ten"), ("WARREN_FAILED_LOGIN_DELAY", "4000"),
            ("WARREN_FAILED_LOGIN_DELAY", "2s"),
        ])
    func settings(variable: String, text: String) throws {
        let redis = RedisClient(address: try RedisAddress(url: "redis://127.0.0.1:1"), name: "", log: .quiet)
        let fault = #expect(throws: SettingsError.self) {
            try LoginThrottle(Settings(environment: [variable: text]), prefetch: 64, redis: redis)
        }
        #expect(fault?.variable == variable)
        _ = try LoginThrottle(Settings(environment: ["WARREN_FAILED_LOGIN_LIMIT": "off"]), prefetch: 64, redis: redis)
        _ = try LoginThrottle(Settings(environment: [:]), prefetch: 64, redis: redis)
    }
}
