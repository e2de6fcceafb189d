import Logging
import Reactor
import Redis
import TestSupport

/// Runs a body while a client is connected to the Redis server for tests.
///
/// - Parameter url: the server's address, if it is another one.
func withTestRedis(_ url: String? = nil, _ body: @Loop (RedisClient) async throws -> Void) async throws {
    let address = try RedisAddress(url: url ?? TestEnvironment.value("WARREN_TEST_REDIS_URL"))
    let redis = RedisClient(address: address, name: "tests", log: Logger(label: "test"))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await redis.run() }
        try await body(redis)
        await redis.close()
        try await group.waitForAll()
    }
}
