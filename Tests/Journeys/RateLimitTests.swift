import Contracts
import Foundation
import Logging
import Reactor
import Redis
import TestSupport
import Testing

extension Journeys {
    @Suite("Rate limits") struct RateLimits {
        @Test("past its limit a login is refused with 429 and Retry-After, and other calls from there are not")
        @Loop func credentials() async throws {
            try await withIngress(["WARREN_REDIS_URL": try await emptyDatabase()]) { try await beLimited($0) }
        }

        @Test("with Redis gone in the middle logins are limited all the same, and none of them fails")
        @Loop func redisGone() async throws {
            var parts = try #require(URLComponents(string: try await emptyDatabase()))
            let proxy = try FaultProxy(to: try #require(parts.port))
            defer { proxy.stop() }
            parts.port = proxy.port
            try await withIngress(["WARREN_REDIS_URL": try #require(parts.string)]) { client in
                let person = try await Person.register(client)
                func login() async throws -> Int { try await client.post("/v1/auth/login", person.credentials).status }
                #expect(try await [login(), login(), login()] == [200, 200, 429])
                proxy.stall()
                #expect(try await login() == 200, "a Redis that hangs: the process counts for itself, from nothing")
                proxy.refuse()
                var statuses: [Int] = []
                for _ in 0..<5 { statuses.append(try await login()) }
                #expect(statuses == [200, 200, 429, 429, 429])
                try await client.by(person).get("/v1/accounts/me").expect(200)
                proxy.resume()
                let isBack = try await eventually(within: .seconds(20)) {
                    try await client.get("/health/ready").expect(200)["redis"]?.string == "up"
                }
                #expect(isBack)
            }
        }

        /// Runs an ingress of the test's own, on whose registrations and logins there is a limit of 3 a minute.
        @Loop private func withIngress(
            _ changes: [String: String], _ body: @Loop (Client) async throws -> Void
        ) async throws {
            let port = try freePort()
            let ingress = try Stack().startAnother(
                "ingress-1",
                [
                    "WARREN_HTTP_ADDRESS": "127.0.0.1:\(port)", "WARREN_CREDENTIAL_RATE_LIMIT": "3/min",
                    "WARREN_REDIS_URL_FILE": "",
                ].merging(changes) { $1 })
            defer { ingress.removeFiles() }
            let client = try Client(url: "http://127.0.0.1:\(port)")
            let isUp = try await eventually(within: .seconds(20)) {
                guard let ready = try? await client.get("/health/ready") else { return false }
                return try ready.status == 200 && ready.json["redis"]?.string == "up"
            }
            #expect(isUp, "\(ingress.errors.suffix(2000))")
            var failure: (any Error)?
            if isUp { do { try await body(client) } catch { failure = error } }
            ingress.signal(SIGTERM)
            #expect(try await ingress.ended() == 0)
            if let failure { throw failure }
        }

        @Loop private func beLimited(_ client: Client) async throws {
            let person = try await Person.register(client)
            for _ in 0..<2 {
                let login = try await client.post("/v1/auth/login", person.credentials)
                try login.expect(200)
                #expect(login.header("RateLimit")?.contains("credentials") == true)
                #expect(login.header("RateLimit-Policy")?.contains("credentials") == true)
            }
            let refused = try await client.post("/v1/auth/login", person.credentials)
            try refused.expectProblem(429, "too-many-requests")
            let wait = try #require(refused.header("Retry-After").flatMap { Int($0) })
            #expect((1...20).contains(wait))
            try await client.post("/v1/auth/register", Person.registration("late-rabbit", "correct horse"))
                .expectProblem(429, "too-many-requests")
            try await client.by(person).get("/v1/accounts/me").expect(200)
            try await client.post("/v1/auth/refresh", ["refreshToken": .string(person.refreshToken)]).expect(200)
        }

        /// The address of a Redis database that nothing else counts in, emptied of what an earlier run counted.
        @Loop private func emptyDatabase() async throws -> String {
            var parts = try #require(URLComponents(string: TestEnvironment.value("WARREN_REDIS_URL")))
            parts.path = "/8"
            let url = try #require(parts.string)
            var log = Logger(label: "redis")
            log.logLevel = .critical
            let redis = RedisClient(address: try RedisAddress(url: url), name: "journeys", log: log)
            async let running: Void = redis.run()
            let isConnected = try await eventually { redis.isConnected }
            let answer = try? await redis.send(["FLUSHDB"])
            await redis.close()
            await running
            #expect(isConnected && answer != nil)
            return url
        }
    }
}

/// A port of loopback that nothing listens on now.
func freePort() throws -> Int {
    let listener = try FaultProxy(to: 1)
    defer { listener.stop() }
    return listener.port
}
