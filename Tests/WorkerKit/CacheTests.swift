import FaultProxy
import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Entity cache and list cache", .timeLimit(.minutes(3)))
struct CacheTests {
    @Test("an entity is served from the cache, and a slow reader cannot cache a deleted entity again")
    @Loop func entity() async throws {
        try await CacheFixture.run { fixture async throws in
            #expect(await fixture.entityLookup("a") == "miss")
            try await fixture.entity("a", inDatabase: "one")
            #expect(await fixture.entityLookup("a") == "one")
            #expect(try await fixture.entity("a", inDatabase: "older") == "one")
            await fixture.entities.putTombstone("a")
            #expect(await fixture.entityLookup("a") == "unavailable")
            #expect(try await fixture.entity("a", inDatabase: "one") == "one")
            #expect(await fixture.entityLookup("a") == "unavailable")

            // The reader has read the row before the entity is deleted.
            let read = try await fixture.entities.body("b") {
                await fixture.entities.putTombstone("b")
                return Array("read before".utf8)
            }
            #expect(read == Array("read before".utf8))
            #expect(await fixture.entityLookup("b") == "unavailable")
            let timeToLive = try await fixture.redis.send(["TTL", .string(fixture.entityKey("b"))]).integer ?? 0
            #expect((10...60).contains(timeToLive))
        }
    }

    @Test("a page that was read before a write is not served after the write")
    @Loop func pages() async throws {
        try await CacheFixture.run { fixture async throws in
            let old = try await fixture.pages.body("1") {
                await fixture.pages.invalidate()
                return Array("old".utf8)
            }
            #expect(old == Array("old".utf8))
            #expect(await fixture.pageLookup("1") == "miss")
            try await fixture.page("1", inDatabase: "new")
            #expect(await fixture.pageLookup("1") == "new")
            #expect(await fixture.pageLookup("2") == "miss")
            await fixture.pages.invalidate()
            #expect(await fixture.pageLookup("1") == "miss")
        }
    }

    @Test("a list generation that Redis has lost gets a new number, whether a reader or a writer comes first")
    @Loop func lostGeneration() async throws {
        try await CacheFixture.run { fixture async throws in
            for round in 0..<3 {
                // As if Redis had evicted the generation. Pages of earlier generations still exist.
                _ = try await fixture.redis.send(["DEL", .string(fixture.generationKey)])
                if round > 0 { await fixture.pages.invalidate() }
                #expect(try await fixture.page("1", inDatabase: "round \(round)") == "round \(round)")
            }
        }
    }

    @Test("while Redis is not available, readers get their values from the database and nothing is cached")
    @Loop func away() async throws {
        try await CacheFixture.run { fixture async throws in
            fixture.proxy.refuse()
            #expect(try await eventually { !fixture.redis.isConnected })
            #expect(await fixture.entityLookup("a") == "unavailable")
            #expect(await fixture.pageLookup("1") == "unavailable")
            #expect(try await fixture.entity("a", inDatabase: "one") == "one")
            #expect(try await fixture.page("1", inDatabase: "one") == "one")
            fixture.proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { fixture.redis.isConnected })
            #expect(await fixture.entityLookup("a") == "miss")
            #expect(await fixture.pageLookup("1") == "miss")
        }
    }

    @Test("a reader whose Redis connection breaks during the reading gets its value, and nothing is cached")
    @Loop func lostDuringRead() async throws {
        try await CacheFixture.run { fixture async throws in
            let page = try await fixture.pages.body("1") { () async throws in
                fixture.proxy.refuse()
                #expect(try await eventually { !fixture.redis.isConnected })
                return Array("one".utf8)
            }
            #expect(page == Array("one".utf8))
            fixture.proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { fixture.redis.isConnected })
            #expect(await fixture.pageLookup("1") == "reserved")
        }
    }

    @Test("if Redis is not available during a delete, the cache is invalidated before the next command that reads")
    @Loop func missed() async throws {
        try await CacheFixture.run { fixture async throws in
            try await fixture.entity("a", inDatabase: "there")
            try await fixture.page("1", inDatabase: "with a")
            #expect(await fixture.entityLookup("a") == "there")
            #expect(await fixture.pageLookup("1") == "with a")
            fixture.proxy.refuse()
            #expect(try await eventually { !fixture.redis.isConnected })
            await fixture.entities.putTombstone("a")
            await fixture.pages.invalidate()
            fixture.proxy.resume()
            // Every lookup finds that Redis is not available or that the cache is invalidated.
            var found: Set<String> = []
            #expect(
                try await eventually(within: .seconds(30)) {
                    found.insert(await fixture.entityLookup("a"))
                    found.insert(await fixture.pageLookup("1"))
                    return found.contains("miss")
                })
            #expect(found == ["unavailable", "miss"])
        }
    }

    @Test("an invalidation is sent again if the connection breaks before Redis has answered")
    @Loop func cutOff() async throws {
        try await CacheFixture.run { fixture async throws in
            try await fixture.entity("a", inDatabase: "there")
            #expect(await fixture.entityLookup("a") == "there")
            fixture.proxy.stall()
            async let invalidated: Void = fixture.entities.putTombstone("a")
            try await Loop.sleep(for: .milliseconds(50))
            fixture.proxy.refuse()
            fixture.proxy.resume()
            await invalidated
            #expect(try await eventually(within: .seconds(30)) { fixture.redis.isConnected })
            #expect(await fixture.entityLookup("a") == "unavailable")
            try await fixture.entity("a", inDatabase: "there")
            #expect(await fixture.entityLookup("a") == "unavailable")
        }
    }
}
