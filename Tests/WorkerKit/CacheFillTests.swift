import FaultProxy
import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Reading values that are not in the cache", .timeLimit(.minutes(3)))
struct CacheFillTests {
    /// Stands for a database. Counts the readings, and delays them until the barrier is opened.
    @Loop private final class Source {
        private(set) var reads = 0
        let barrier = Barrier()
        var value: String? = "read"

        func read() async throws -> [UInt8]? {
            reads += 1
            await barrier.pass()
            return value.map { Array($0.utf8) }
        }

        func readPage() async throws -> [UInt8] { try await read() ?? [] }
    }

    /// Starts many tasks that read the same value through a cache, and opens the barrier after the first reading has
    /// begun.
    ///
    /// - Returns: the values that the tasks get.
    @Loop private func ask(
        _ count: Int, _ source: Source, _ body: @escaping @Loop @Sendable () async throws -> [UInt8]?
    ) async throws -> [String?] {
        async let opened: Void = open(source)
        let values = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            for _ in 0..<count { group.addTask { try await body() } }
            var values: [String?] = []
            for try await value in group { values.append(value.map { String(decoding: $0, as: UTF8.self) }) }
            return values
        }
        try await opened
        return values
    }

    /// Opens the barrier 100 ms after the first reading has begun. In this time all other tasks can begin a reading.
    @Loop private func open(_ source: Source) async throws {
        _ = try await eventually { source.reads > 0 }
        try await Loop.sleep(for: .milliseconds(100))
        source.barrier.open()
    }

    @Test("a value that many tasks of a process need at the same time is read once")
    @Loop func oneProcess() async throws {
        try await CacheFixture.run { fixture async throws in
            let (entitySource, pageSource) = (Source(), Source())
            let entities = try await ask(50, entitySource) {
                try await fixture.entities.body("a") { try await entitySource.read() }
            }
            #expect(entities.count { $0 == "read" } == 50)
            #expect(entitySource.reads == 1)
            let pages = try await ask(50, pageSource) {
                try await fixture.pages.body("1") { try await pageSource.readPage() }
            }
            #expect(pages.count { $0 == "read" } == 50)
            #expect(pageSource.reads == 1)
            #expect(try await fixture.entities.body("a") { nil } == Array("read".utf8))
            #expect(try await fixture.pages.body("1") { [] } == Array("read".utf8))
        }
    }

    @Test("a value that several processes need at the same time is read once")
    @Loop func severalProcesses() async throws {
        try await CacheFixture.run { first async throws in
            try await CacheFixture.run(name: first.name) { second async throws in
                let (entitySource, pageSource) = (Source(), Source())
                // The readings must be fast, because a process waits only 400 ms for the reading of another process.
                entitySource.barrier.open()
                pageSource.barrier.open()
                let entities = try await ask(20, entitySource) {
                    async let one = first.entities.body("a") { try await entitySource.read() }
                    async let two = second.entities.body("a") { try await entitySource.read() }
                    let both = try await (one, two)
                    return both.0 == both.1 ? both.0 : nil
                }
                #expect(entities.count { $0 == "read" } == 20)
                #expect(entitySource.reads == 1)
                let pages = try await ask(20, pageSource) {
                    async let one = first.pages.body("1") { try await pageSource.readPage() }
                    async let two = second.pages.body("1") { try await pageSource.readPage() }
                    let both = try await (one, two)
                    return both.0 == both.1 ? both.0 : nil
                }
                #expect(pages.count { $0 == "read" } == 20)
                #expect(pageSource.reads == 1)
            }
        }
    }

    @Test("a key that a dead process has reserved delays a reading by less than 5 s, and the value is cached later")
    @Loop func deadReader() async throws {
        try await CacheFixture.run { fixture async throws in
            _ = try await fixture.redis.send(["SET", .string(fixture.entityKey("a")), "\0dead", "PX", 1_500])
            let source = Source()
            source.barrier.open()
            let began = ContinuousClock.now
            #expect(try await fixture.entities.body("a") { try await source.read() } == Array("read".utf8))
            #expect(ContinuousClock.now - began < .seconds(5))
            // A value is stored only under a key that is reserved for its reader. When the dead process's reservation
            // has expired, the next reader gets the key.
            let isCached = try await eventually {
                _ = try await fixture.entities.body("a") { try await source.read() }
                return try await fixture.entities.body("a") { nil } != nil
            }
            #expect(isCached)
        }
    }

    @Test("a value that was read before a delete is not cached, even if Redis has evicted the tombstone")
    @Loop func evictedTombstone() async throws {
        try await CacheFixture.run { fixture async throws in
            let source = Source()
            async let slow = fixture.entities.body("a") { try await source.read() }
            #expect(try await eventually { source.reads == 1 })
            await fixture.entities.putTombstone("a")
            #expect(try await fixture.redis.send(["DEL", .string(fixture.entityKey("a"))]).integer == 1)
            source.barrier.open()
            #expect(try await slow == Array("read".utf8))
            #expect(try await fixture.entities.body("a") { nil } == nil)
        }
    }

    @Test("a task that asks after a change does not share a reading that began before it, even without a tombstone")
    @Loop func outdatedReading() async throws {
        try await CacheFixture.run { fixture async throws in
            let source = Source()
            async let slow = fixture.entities.body("a") { try await source.read() }
            #expect(try await eventually { source.reads == 1 })
            // As if Redis had evicted the tombstone.
            await fixture.entities.putTombstone("a")
            _ = try await fixture.redis.send(["DEL", .string(fixture.entityKey("a"))])
            #expect(try await fixture.entities.body("a") { Array("new".utf8) } == Array("new".utf8))
            source.barrier.open()
            #expect(try await slow == Array("read".utf8))
            #expect(await fixture.entityLookup("a") == "new")
        }
    }

    @Test("while Redis refuses writes, the cache is not read, because it cannot be invalidated")
    @Loop func readOnly() async throws {
        try await CacheFixture.run { fixture async throws in
            try await fixture.entity("a", inDatabase: "old")
            try await fixture.page("1", inDatabase: "old")
            try await fixture.withoutWrites { () async throws in
                #expect(await fixture.entityLookup("a") == "old")
                #expect(try await fixture.entity("a", inDatabase: "new") == "new")
                #expect(try await fixture.page("1", inDatabase: "new") == "new")
            }
        }
    }

    @Test("while Redis is not available, every task reads the value itself")
    @Loop func noRedis() async throws {
        try await CacheFixture.run { fixture async throws in
            fixture.proxy.refuse()
            #expect(try await eventually { !fixture.redis.isConnected })
            let source = Source()
            let values = try await ask(10, source) { try await fixture.entities.body("a") { try await source.read() } }
            #expect(values.count { $0 == "read" } == 10)
            #expect(source.reads == 10)
        }
    }

    @Test("a reading that ends after a delete is not cached, and the delete is visible at once")
    @Loop func slowReader() async throws {
        try await CacheFixture.run { fixture async throws in
            let source = Source()
            async let slow = fixture.entities.body("a") { try await source.read() }
            #expect(try await eventually { source.reads == 1 })
            await fixture.entities.putTombstone("a")
            // A task that asks after the delete does not share the reading that began before it.
            #expect(try await fixture.entities.body("a") { nil } == nil)
            source.barrier.open()
            #expect(try await slow == Array("read".utf8))
            #expect(try await fixture.entities.body("a") { nil } == nil)
        }
    }

    @Test("after a write, a page is read again even if an earlier reading of the page has not ended")
    @Loop func pageAfterWrite() async throws {
        try await CacheFixture.run { fixture async throws in
            let before = Source()
            before.value = "old"
            async let slow = fixture.pages.body("1") { try await before.readPage() }
            #expect(try await eventually { before.reads == 1 })
            await fixture.pages.invalidate()
            #expect(try await fixture.pages.body("1") { Array("new".utf8) } == Array("new".utf8))
            before.barrier.open()
            #expect(try await slow == Array("old".utf8))
            #expect(try await fixture.pages.body("1") { [] } == Array("new".utf8))
        }
    }

    @Test("the absence of a value is not cached")
    @Loop func absence() async throws {
        try await CacheFixture.run { fixture async throws in
            let source = Source()
            source.value = nil
            let values = try await ask(3, source) { try await fixture.entities.body("a") { try await source.read() } }
            #expect(values.allSatisfy { $0 == nil })
            source.value = "made"
            #expect(try await fixture.entities.body("a") { try await source.read() } == Array("made".utf8))
        }
    }

    @Test("after a failed reading, the next task reads at once and the key is free")
    @Loop func failure() async throws {
        try await CacheFixture.run { fixture async throws in
            for _ in 0..<2 {
                await #expect(throws: TransientFailure.self) {
                    try await fixture.entities.body("a") { throw TransientFailure() }
                }
            }
            #expect(await fixture.entityLookup("a") == "miss")
            #expect(try await fixture.entities.body("a") { [1] } == [1])
        }
    }
}
