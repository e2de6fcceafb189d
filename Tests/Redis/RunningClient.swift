import FaultProxy
import Foundation
import Logging
import Reactor
import Redis
import TestSupport
import Testing

/// Returns the URL of the tests' Redis server.
func redisURL() throws -> String {
    try TestEnvironment.value("WARREN_TEST_REDIS_URL")
}

/// Starts a proxy in front of the tests' Redis server.
func proxiedRedis() throws -> (url: String, proxy: FaultProxy) {
    try TestEnvironment.redirect("WARREN_TEST_REDIS_URL", defaultPort: 6379) { try FaultProxy(to: $0) }
}

/// Returns a unique key.
func freshKey(_ name: String = "key") -> String {
    "test:\(UUID().uuidString):\(name)"
}

/// Returns limits with timeouts that are long enough for slow machines.
func patientLimits() -> RedisLimits {
    var limits = RedisLimits()
    limits.timeout = .seconds(10)
    limits.connectTimeout = .seconds(10)
    return limits
}

/// Makes a client for a URL.
func makeClient(_ url: String, name: String = "warren-test", limits: RedisLimits = patientLimits()) throws
    -> RedisClient
{
    var log = Logger(label: "redis.test")
    log.logLevel = .critical
    return RedisClient(address: try RedisAddress(url: url), name: name, limits: limits, log: log)
}

/// Runs a closure with a connected client, then closes the client.
@Loop func withClient(
    _ url: String? = nil, limits: RedisLimits = patientLimits(), _ body: @Loop (RedisClient) async throws -> Void
) async throws {
    let client = try makeClient(try url ?? redisURL(), limits: limits)
    async let running: Void = client.run()
    try #require(try await eventually { client.isConnected })
    try await body(client)
    await client.close()
    await running
}

/// Returns the error of a command, or `nil` if it succeeds.
@Loop func failure(
    _ client: RedisClient, _ arguments: [RedisArgument], timeout: Duration? = nil
) async -> RedisError? {
    do {
        _ = try await client.send(arguments, timeout: timeout)
        return nil
    } catch {
        return error
    }
}
