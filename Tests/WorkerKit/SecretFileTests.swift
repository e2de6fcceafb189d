import AMQP
import DatabaseSupport
import FaultProxy
import Foundation
import Logging
import Postgres
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Passwords in files", .timeLimit(.minutes(2)))
struct SecretFileTests {
    /// A URL in a file, and a proxy to its server.
    private struct Secret {
        let folder: TemporaryFolder
        let proxy: FaultProxy
        private let right: URLComponents

        /// - Parameter variable: the variable with the address of the tests' server.
        init(_ variable: String, defaultPort: Int) throws {
            folder = try TemporaryFolder()
            let (url, proxy) = try TestEnvironment.redirect(variable, defaultPort: defaultPort) {
                try FaultProxy(to: $0)
            }
            self.proxy = proxy
            right = try #require(URLComponents(string: url))
            try writeRightPassword()
        }

        func settings(_ name: String) -> Settings {
            Settings(environment: ["\(name)_FILE": folder.path("url")])
        }

        func writeRightPassword() throws {
            try folder.write("\(right.string ?? "")\n", to: "url")
        }

        func writeWrongPassword() throws {
            var wrong = right
            wrong.password = "wrong"
            try folder.write("\(wrong.string ?? "")\n", to: "url")
        }

        func remove() {
            proxy.stop()
            folder.remove()
        }
    }

    @Test("connections to the broker use the password that is in WARREN_AMQP_URL_FILE when they are made")
    @Loop func broker() async throws {
        let secret = try Secret("WARREN_TEST_AMQP_URL", defaultPort: 5672)
        defer { secret.remove() }
        let settings = secret.settings("WARREN_AMQP_URL")
        let log = CapturedLog()
        let publisher = Publisher(address: try settings.broker(), name: "test", log: log.logger(.warning))
        let consumer = Consumer(
            address: try settings.broker(), name: "test",
            subscriptions: [.replies(exchange: "amq.direct", key: UUID().uuidString) { _ in }],
            log: log.logger(.warning))
        async let publishing: Void = publisher.run()
        async let consuming: Void = consumer.run()
        let result = await outcome {
            try #require(await publisher.waitUntilAvailable(within: .seconds(10)))
            try #require(await consumer.waitUntilConsuming(within: .seconds(10)))
            try secret.writeWrongPassword()
            secret.proxy.cut()
            let areRefused = try await eventually(within: .seconds(20)) {
                log.events.count { $0.metadata["code"] == "403" } >= 2
            }
            #expect(areRefused, "\(log.text)")
            try secret.writeRightPassword()
            #expect(await publisher.waitUntilAvailable(within: .seconds(20)))
            #expect(await consumer.waitUntilConsuming(within: .seconds(20)))
        }
        await publisher.close()
        await consumer.close()
        _ = await (publishing, consuming)
        try result.get()
    }

    @Test("connections to PostgreSQL use the password that is in WARREN_DATABASE_URL_FILE when they are made")
    @Loop func database() async throws {
        let secret = try Secret("WARREN_TEST_DATABASE_URL", defaultPort: 5432)
        defer { secret.remove() }
        let settings = secret.settings("WARREN_DATABASE_URL")
        let pool = PostgresPool(url: try settings.requiredText("WARREN_DATABASE_URL"), size: 1, log: .quiet)
        async let running: Void = pool.run()
        let result = await outcome {
            let one = Statement("SELECT 1")
            _ = try await pool.query(one)
            try secret.writeWrongPassword()
            secret.proxy.cut()
            #expect(try await eventually(within: .seconds(20)) { pool.availability == .unavailable })
            let error = await #expect(throws: PostgresError.self) { try await pool.query(one) }
            #expect(error?.sqlState == "28P01")
            try secret.writeRightPassword()
            #expect(try await eventually(within: .seconds(20)) { pool.availability == .available })
            _ = try await pool.query(one)
        }
        await pool.close(within: .seconds(5))
        await running
        try result.get()
    }

    /// Returns the error of a command; `nil` if it succeeds.
    @Loop private func failure(_ client: RedisClient) async -> String? {
        do {
            _ = try await client.send(["PING"])
            return nil
        } catch {
            return error.description
        }
    }

    @Test("connections to Redis use the password that is in WARREN_REDIS_URL_FILE when they are made")
    @Loop func redis() async throws {
        let secret = try Secret("WARREN_TEST_REDIS_URL", defaultPort: 6379)
        defer { secret.remove() }
        let settings = secret.settings("WARREN_REDIS_URL")
        let client = RedisClient(address: try settings.redis(), name: "test", log: .quiet)
        async let running: Void = client.run()
        let result = await outcome {
            // The conditions are not in macros: Swift 6.3 mixes up the closures in a macro and outside it.
            let isConnected = try await eventually(within: .seconds(20)) { client.isConnected }
            try #require(isConnected)
            try secret.writeWrongPassword()
            secret.proxy.cut()
            let isRefused = try await eventually(within: .seconds(20)) {
                await failure(client)?.contains("WRONGPASS") == true
            }
            #expect(isRefused)
            try secret.writeRightPassword()
            let isConnectedAgain = try await eventually(within: .seconds(20)) { client.isConnected }
            #expect(isConnectedAgain)
        }
        await client.close()
        await running
        try result.get()
    }
}
