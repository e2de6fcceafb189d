import Contracts
import DatabaseSupport
import FaultProxy
import Foundation
import LocalStack
import Reactor
import Redis
import TestSupport
import Testing

extension Journeys {
    @Suite("Rate limits") struct RateLimits {
        @Test(
            "a login over the rate limit gets 429 with Retry-After, and other requests from the same address are served"
        )
        @Loop func credentials() async throws {
            try await withLimitedIngress(redisURL: try await emptyDatabase()) { try await expectLimit($0) }
        }

        @Test("while Redis is unavailable, the ingress counts and limits logins by itself, and no login fails")
        @Loop func redisGone() async throws {
            var parts = try #require(URLComponents(string: try await emptyDatabase()))
            let proxy = try FaultProxy(to: try #require(parts.port))
            defer { proxy.stop() }
            parts.port = proxy.port
            try await withLimitedIngress(redisURL: try #require(parts.string)) { client in
                let person = try await TestAccount.register(client)
                func login() async throws -> Int { try await client.post("/v1/auth/login", person.credentials).status }
                #expect(try await [login(), login(), login()] == [200, 200, 429])
                proxy.stall()
                #expect(try await login() == 200, "while Redis hangs, the ingress counts by itself, starting at zero")
                proxy.refuse()
                var statuses: [Int] = []
                for _ in 0..<5 { statuses.append(try await login()) }
                #expect(statuses == [200, 200, 429, 429, 429])
                try await client.signedIn(as: person).get("/v1/accounts/me").expect(200)
                proxy.resume()
                let isBack = try await eventually(within: .seconds(20)) {
                    try await client.get("/health/ready").expect(200)["redis"]?.string == "up"
                }
                #expect(isBack)
            }
        }

        /// Runs a body with another ingress, which allows 3 registrations and logins a minute.
        @Loop private func withLimitedIngress(
            redisURL: String, _ body: @Loop (APIClient) async throws -> Void
        ) async throws {
            let changes = [
                "WARREN_CREDENTIAL_RATE_LIMIT": "3/min", "WARREN_REDIS_URL": redisURL, "WARREN_REDIS_URL_FILE": "",
            ]
            try await Stack().withIngress(changes, body)
        }

        @Loop private func expectLimit(_ client: APIClient) async throws {
            let person = try await TestAccount.register(client)
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
            try await client.post("/v1/auth/register", TestAccount.registration("late-rabbit", "correct horse"))
                .expectProblem(429, "too-many-requests")
            try await client.signedIn(as: person).get("/v1/accounts/me").expect(200)
            try await client.post("/v1/auth/refresh", ["refreshToken": .string(person.refreshToken)]).expect(200)
        }

        /// Empties a Redis database that no other test uses, and returns its address.
        @Loop private func emptyDatabase() async throws -> String {
            var parts = try #require(URLComponents(string: TestEnvironment.value("WARREN_REDIS_URL")))
            parts.path = "/8"
            let url = try #require(parts.string)
            try await TestRedis.withClient(url) { _ = try await $0.send(["FLUSHDB"]) }
            return url
        }
    }
}
