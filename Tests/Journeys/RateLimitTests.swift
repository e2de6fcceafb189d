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
            let stack = try Stack()
            let redis = try await emptyDatabase()
            let port = try freePort()
            let ingress = try stack.startAnother(
                "ingress-1",
                [
                    "WARREN_HTTP_ADDRESS": "127.0.0.1:\(port)", "WARREN_CREDENTIAL_RATE_LIMIT": "3/min",
                    "WARREN_REDIS_URL_FILE": "", "WARREN_REDIS_URL": redis,
                ])
            defer { ingress.removeFiles() }
            let client = try Client(url: "http://127.0.0.1:\(port)")
            let isUp = try await eventually(within: .seconds(20)) {
                (try? await client.get("/health/ready").status) == 200
            }
            #expect(isUp, "\(ingress.errors.suffix(2000))")
            if isUp { try await beLimited(client) }
            ingress.signal(SIGTERM)
            #expect(try await ingress.ended() == 0)
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
