import FaultProxy
import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Caches on a Redis server that is replaced, full or slow", .timeLimit(.minutes(3)))
struct CacheServerTests {
    /// Runs a test with a Redis server of its own, in which the entity `a` and the page `1` are cached.
    @Loop private func withServer(
        _ options: [String] = [], timeout: Duration = .seconds(10),
        _ body: @Loop (LocalRedis, TemporaryFolder, CacheFixture) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let server = try LocalRedis(in: folder, port: freePort(), options)
        try await CacheFixture.run(server: server.url, timeout: timeout) { fixture in
            try await fixture.entity("a", inDatabase: "old")
            try await fixture.page("1", inDatabase: "old")
            #expect(try await fixture.entity("a", inDatabase: "new") == "old")
            try await body(server, folder, fixture)
        }
        try await server.stop()
    }

    /// Kills the server, starts another one on the same port, and waits until the client is connected to it.
    @Loop private func replace(
        _ server: LocalRedis, in folder: TemporaryFolder, _ fixture: CacheFixture
    ) async throws -> LocalRedis {
        try await server.stop()
        try #require(await eventually { !fixture.redis.isConnected })
        let next = try LocalRedis(in: folder, port: server.port)
        try #require(await eventually(within: .seconds(20)) { fixture.redis.isConnected })
        return next
    }

    @Test("a server that has loaded an older snapshot does not return an entry that was invalidated later")
    @Loop func olderServer() async throws {
        try await withServer { server, folder, fixture in
            _ = try await fixture.redis.send(["SAVE"])
            await fixture.entities.putTombstone("a")
            await fixture.pages.invalidate()
            let older = try await replace(server, in: folder, fixture)
            let keys = try await fixture.redis.send(["KEYS", "*"]).array ?? []
            #expect(!keys.isEmpty, "the server must have the snapshot")
            #expect(try await fixture.entity("a", inDatabase: "new") == "new")
            #expect(try await fixture.page("1", inDatabase: "new") == "new")
            try await older.stop()
        }
    }

    @Test("after a server was replaced by an empty one, entries are read again and can be invalidated")
    @Loop func emptyServer() async throws {
        try await withServer { server, folder, fixture in
            let empty = try await replace(server, in: folder, fixture)
            for content in ["new", "newer"] {
                #expect(try await fixture.page("1", inDatabase: content) == content)
                #expect(try await fixture.page("1", inDatabase: "newest") == content)
                await fixture.pages.invalidate()
            }
            #expect(try await fixture.entity("a", inDatabase: "new") == "new")
            await fixture.entities.putTombstone("a")
            #expect(try await fixture.entity("a", inDatabase: "newer") == "newer")
            try await empty.stop()
        }
    }

    @Test("a server that is full and evicts nothing returns no entry, because it cannot be told of changes")
    @Loop func fullServer() async throws {
        try await withServer(["--maxmemory-policy", "noeviction"]) { _, _, fixture in
            _ = try await fixture.redis.send(["CONFIG", "SET", "maxmemory", "1"])
            #expect(try await fixture.entity("a", inDatabase: "new") == "new")
            #expect(try await fixture.page("1", inDatabase: "new") == "new")
            await fixture.entities.putTombstone("a")
            #expect(fixture.invalidations.count == 1)
            _ = try await fixture.redis.send(["CONFIG", "SET", "maxmemory", "0"])
            #expect(try await eventually(within: .seconds(20)) { fixture.invalidations.count == 0 })
            #expect(await fixture.entityLookup("a") == "unavailable")
        }
    }

    @Test("a replica returns no entry, and after its promotion the failed invalidation is sent")
    @Loop func replica() async throws {
        try await withServer { _, _, fixture in
            _ = try await fixture.redis.send(["REPLICAOF", "127.0.0.1", "1"])
            #expect(try await fixture.entity("a", inDatabase: "new") == "new")
            #expect(try await fixture.page("1", inDatabase: "new") == "new")
            await fixture.entities.putTombstone("a")
            _ = try await fixture.redis.send(["REPLICAOF", "NO", "ONE"])
            #expect(try await eventually(within: .seconds(20)) { fixture.invalidations.count == 0 })
            #expect(await fixture.entityLookup("a") == "unavailable")
        }
    }

    @Test("while the server does not answer, readers get their values from the database within a few timeouts")
    @Loop func slowServer() async throws {
        try await withServer(timeout: .milliseconds(300)) { _, _, fixture in
            fixture.proxy.stall()
            let start = ContinuousClock.now
            let content = try await fixture.entity("a", inDatabase: "new")
            #expect(content == "new")
            #expect(ContinuousClock.now - start < .seconds(5))
            await fixture.entities.putTombstone("a")
            #expect(fixture.invalidations.count == 1)
            fixture.proxy.resume()
            #expect(try await eventually(within: .seconds(20)) { fixture.invalidations.count == 0 })
            #expect(try await fixture.entity("a", inDatabase: "newer") == "newer")
        }
    }
}
