internal import Logging
package import Reactor
package import Redis
internal import TestSupport

/// Connections to the Redis server of the tests.
@Loop package enum TestRedis {
    /// Redis could not be reached within 10 s.
    struct Unreachable: Error {}

    /// Runs a body with a connected client, and closes the client afterwards.
    ///
    /// - Parameter url: the server's URL; `nil` for `WARREN_TEST_REDIS_URL`.
    package static func withClient(
        _ url: String? = nil, _ body: @Loop (RedisClient) async throws -> Void
    ) async throws {
        let url = try url ?? TestEnvironment.value("WARREN_TEST_REDIS_URL")
        let client = RedisClient(address: try RedisAddress(url: url), name: "tests", log: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            let ended = await outcome {
                guard try await eventually({ client.isConnected }) else { throw Unreachable() }
                try await body(client)
            }
            await client.close()
            try await group.waitForAll()
            try ended.get()
        }
    }
}
