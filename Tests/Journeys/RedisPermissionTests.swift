import DatabaseSupport
import Foundation
import LocalStack
import Reactor
import Redis
import TestSupport
import Testing

extension Journeys {
    @Suite("Redis permissions", .timeLimit(.minutes(2))) struct RedisPermissions {
        /// The beginnings of the keys that each daemon may use. The media service has no cache.
        private static let prefixes = [
            "ingress": ["rate:"], "identity": ["identity:"], "post": ["post:", "{post:"], "media": [],
            "search": ["search:", "{search:"],
        ]

        /// How long to wait for a reply. The timeout of a cache would be too short for values of several megabytes.
        private static let patience: Duration = .seconds(10)

        @Test("a daemon's Redis user can read and write the keys of this daemon only", arguments: Stack.daemons)
        @Loop func keys(service: String) async throws {
            try await withRedis(of: service) { redis in
                for (owner, prefixes) in Self.prefixes {
                    for key in prefixes.map({ RedisArgument("\($0)journeys:\(randomWord(12))") }) {
                        let refusals = [
                            await refusal(redis, ["SET", key, "a value", "EX", 10]),
                            await refusal(redis, ["GET", key]),
                            await refusal(redis, ["EVAL", "return redis.call('GET', KEYS[1])", 1, key]),
                            await refusal(redis, ["DEL", key]),
                        ]
                        if owner == service {
                            #expect(refusals == [nil, nil, nil, nil], "\(key)")
                        } else {
                            #expect(refusals.allSatisfy { $0?.hasPrefix("NOPERM ") == true }, "\(key): \(refusals)")
                        }
                        // A script that does not name its keys gets another error, which depends on Redis's version.
                        let hidden = await refusal(redis, ["EVAL", "return redis.call('GET', ARGV[1])", 0, key])
                        #expect((hidden == nil) == (owner == service), "\(key): \(hidden ?? "allowed")")
                    }
                }
            }
        }

        @Test(
            "a daemon's Redis user cannot delete all keys, list keys, read the configuration, or publish",
            arguments: Stack.daemons
        )
        @Loop func commands(service: String) async throws {
            let refused: [[RedisArgument]] = [
                ["FLUSHALL"], ["FLUSHDB"], ["SCRIPT", "FLUSH"], ["FUNCTION", "FLUSH"],
                ["CLIENT", "TRACKING", "ON", "BCAST"], ["KEYS", "*"], ["SCAN", "0"], ["RANDOMKEY"],
                ["CONFIG", "GET", "*"],
                ["ACL", "LIST"], ["CLIENT", "LIST"], ["INFO"], ["INFO", "memory"], ["PUBLISH", "channel", "a message"],
            ]
            try await withRedis(of: service) { redis in
                for command in refused {
                    let reason = await refusal(redis, command)
                    #expect(reason?.hasPrefix("NOPERM ") == true, "\(command): \(reason ?? "allowed")")
                }
            }
        }

        @Test("a daemon's Redis user exists only on the server that the daemon uses", arguments: Stack.daemons)
        @Loop func servers(service: String) async throws {
            let address = try url(of: service)
            let password = try #require(URLComponents(string: address)?.password)
            let usesLimits = ["ingress", "identity"].contains(service)
            for (variable, isOwn) in [("WARREN_REDIS_URL", !usesLimits), ("WARREN_LIMITS_REDIS_URL", usesLimits)] {
                try await TestRedis.withClient(TestEnvironment.value(variable)) { redis in
                    let reason = await refusal(redis, ["AUTH", RedisArgument(service), RedisArgument(password)])
                    #expect(isOwn ? reason == nil : reason?.hasPrefix("WRONGPASS ") == true, "\(reason ?? "allowed")")
                }
            }
        }

        @Test("a full cache evicts cache entries, but no rate limit and no failed login")
        @Loop func fullCache() async throws {
            // 20 values of 16 MiB are more than the 256 MB of the server `redis`.
            let fillers = (0..<20).map { RedisArgument("filler:\($0)") }
            let (rate, failures) = ("rate:journeys:\(randomWord(12))", "identity:journeys:\(randomWord(12))")
            try await set(rate, as: "ingress")
            try await set(failures, as: "identity")
            try await withEmptyDatabase("WARREN_REDIS_URL") { cache in
                for filler in fillers {
                    #expect(await refusal(cache, ["SET", filler, Self.value(megabytes: 16), "EX", 60]) == nil)
                }
                let reply = try await cache.send(["EXISTS"] + fillers, timeout: Self.patience)
                let kept = try #require(reply.integer)
                #expect((1..<fillers.count).contains(kept))
            }
            #expect(try await isSet(rate, as: "ingress"))
            #expect(try await isSet(failures, as: "identity"))
        }

        @Test("when the server `limits` is full, it refuses new values and evicts none")
        @Loop func fullLimits() async throws {
            try await withEmptyDatabase("WARREN_LIMITS_REDIS_URL") { limits in
                var keys: [RedisArgument] = []
                var reason: String?
                // The server has 64 MB.
                while reason == nil, keys.count < 20 {
                    let key = RedisArgument("filler:\(keys.count)")
                    reason = await refusal(limits, ["SET", key, Self.value(megabytes: 8), "EX", 60])
                    if reason == nil { keys.append(key) }
                }
                #expect(reason?.hasPrefix("OOM ") == true, "\(reason ?? "\(keys.count) values were stored")")
                #expect(!keys.isEmpty)
                let kept = try await limits.send(["EXISTS"] + keys, timeout: Self.patience)
                #expect(kept.integer == keys.count)
            }
        }

        private static func value(megabytes: Int) -> RedisArgument {
            RedisArgument([UInt8](repeating: UInt8(ascii: "x"), count: megabytes << 20))
        }

        /// Returns the error text of the server, or `nil` if the command succeeds.
        @Loop private func refusal(_ redis: RedisClient, _ command: [RedisArgument]) async -> String? {
            do {
                _ = try await redis.send(command, timeout: Self.patience)
                return nil
            } catch {
                return error.message
            }
        }

        /// Runs a body with a client that has the Redis user of a daemon.
        @Loop private func withRedis(
            of service: String, _ body: @Loop (RedisClient) async throws -> Void
        ) async throws {
            try await TestRedis.withClient(url(of: service), body)
        }

        private func url(of service: String) throws -> String { try Stack().secret("\(service)-redis.url") }

        /// Stores a value that expires after a minute.
        @Loop private func set(_ key: String, as service: String) async throws {
            try await withRedis(of: service) { redis in
                #expect(await refusal(redis, ["SET", RedisArgument(key), "a value", "EX", 60]) == nil)
            }
        }

        @Loop private func isSet(_ key: String, as service: String) async throws -> Bool {
            var isSet = false
            try await withRedis(of: service) { redis in
                isSet = try await redis.send(["GET", RedisArgument(key)], timeout: Self.patience) != .null
            }
            return isSet
        }

        /// Runs a body with a database that no other test uses, with the default user of a server. Empties the database
        /// before and after the body.
        ///
        /// - Parameter variable: the environment variable with the server's address.
        @Loop private func withEmptyDatabase(
            _ variable: String, _ body: @Loop (RedisClient) async throws -> Void
        ) async throws {
            var parts = try #require(URLComponents(string: TestEnvironment.value(variable)))
            parts.path = "/7"
            try await TestRedis.withClient(parts.string) { redis in
                _ = try await redis.send(["FLUSHDB"], timeout: Self.patience)
                let result = await outcome { try await body(redis) }
                _ = try await redis.send(["FLUSHDB"], timeout: Self.patience)
                try result.get()
            }
        }
    }
}
