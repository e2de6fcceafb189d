import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Retries of cache invalidations", .timeLimit(.minutes(3)))
struct InvalidationTests {
    @Test("a refused invalidation is retried on the same connection, and is kept once however often it failed")
    @Loop func sameConnection() async throws {
        try await CacheFixture.run { fixture async throws in
            // The key holds a list, so the server refuses INCR and the connection stays.
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

    @Test("an invalidation that succeeded removes the same one that failed before")
    @Loop func superseded() async throws {
        try await CacheFixture.run { fixture async throws in
            fixture.proxy.refuse()
            #expect(try await eventually { !fixture.redis.isConnected })
            for id in ["a", "b", "a", "b", "a"] { await fixture.entities.bury(id) }
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
            for number in 0..<10_050 { await fixture.entities.bury("thing \(number)") }
            #expect(fixture.invalidations.count == 10_000)
        }
    }
}
