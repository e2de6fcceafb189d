import FaultProxy
import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Retries of cache invalidations", .timeLimit(.minutes(3)))
struct InvalidationTests {
    @Test("an invalidation that Redis refuses several times is kept once and retried on the same connection")
    @Loop func sameConnection() async throws {
        try await CacheFixture.run { fixture async throws in
            // The value of the key is a list, so Redis refuses INCR. The connection stays open.
            _ = try await fixture.redis.send(["RPUSH", .string(fixture.generationKey), "no number"])
            for _ in 0..<50 { await fixture.pages.invalidate() }
            #expect(fixture.invalidations.count <= 1)
            _ = try await fixture.redis.send(["DEL", .string(fixture.generationKey)])
            let isDone = try await eventually(within: .seconds(10)) {
                try await fixture.redis.send(["TYPE", .string(fixture.generationKey)]).string == "string"
            }
            #expect(isDone)
            #expect(fixture.invalidations.count == 0)
            #expect(fixture.proxy.acceptedCount == 1)
        }
    }

    @Test("an invalidation that Redis always refuses does not hold up the others")
    @Loop func refusedAlways() async throws {
        try await CacheFixture.run { fixture async throws in
            // The value of the key is a list, so Redis refuses INCR.
            _ = try await fixture.redis.send(["RPUSH", .string(fixture.generationKey), "no number"])
            let user = RedisArgument.string("test-" + UUID().uuidString)
            _ = try await fixture.redis.send(["ACL", "SETUSER", user, "on", "nopass", "~*", "+@all", "-@write"])
            _ = try await fixture.redis.send(["AUTH", user, "any password"])
            await fixture.pages.invalidate()
            await fixture.entities.putTombstone("a")
            #expect(fixture.invalidations.count == 2)
            _ = try await fixture.redis.send(["ACL", "SETUSER", user, "+@write"])
            #expect(try await eventually(within: .seconds(20)) { fixture.invalidations.count == 1 })
            #expect(await fixture.entityLookup("a") == "unavailable")
            #expect(fixture.proxy.acceptedCount == 1)
            _ = try await fixture.redis.send(["DEL", .string(fixture.generationKey)])
            #expect(try await eventually(within: .seconds(20)) { fixture.invalidations.count == 0 })
            // Redis closes the connection, because its user no longer exists.
            _ = try? await fixture.redis.send(["ACL", "DELUSER", user])
        }
    }

    @Test("failed invalidations of the same key are kept once and sent when Redis is available again")
    @Loop func keptOnce() async throws {
        try await CacheFixture.run { fixture async throws in
            fixture.proxy.refuse()
            #expect(try await eventually { !fixture.redis.isConnected })
            for id in ["a", "b", "a", "b", "a"] { await fixture.entities.putTombstone(id) }
            #expect(fixture.invalidations.count == 2)
            fixture.proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { fixture.redis.isConnected })
            #expect(try await eventually { fixture.invalidations.count == 0 })
            try await fixture.entity("a", inDatabase: "there")
            #expect(await fixture.entityLookup("a") == "unavailable")
        }
    }

    @Test("at most 10,000 failed invalidations are kept")
    @Loop func bounded() async throws {
        try await CacheFixture.run { fixture async throws in
            fixture.proxy.refuse()
            #expect(try await eventually { !fixture.redis.isConnected })
            for number in 0..<10_050 { await fixture.entities.putTombstone("thing \(number)") }
            #expect(fixture.invalidations.count == 10_000)
        }
    }
}
