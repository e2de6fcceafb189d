import FaultProxy
import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("List cache with a pause between generations", .timeLimit(.minutes(3))) struct ListCachePauseTests {
    private static let pause: Duration = .milliseconds(250)

    /// A cache on its own connection, as another process has it.
    @Loop private static func cache(_ fixture: CacheFixture, pause: Duration = pause) -> ListCache {
        ListCache(
            redis: fixture.redis, invalidations: fixture.invalidations, name: fixture.name, lifetime: .seconds(60),
            pause: pause)
    }

    /// The table that the tests cache: a number that each write increments.
    @Loop private final class Table {
        private(set) var writes = 0
        private(set) var reads = 0
        var readTime: Duration = .milliseconds(5)
        /// Whether readings wait until this is false.
        var isBlocked = false
        /// The time of each write's invalidation.
        var written: [ContinuousClock.Instant] = []
        /// The number of times that the page was asked for.
        var asked = 0

        func write() { writes += 1 }

        struct Failure: Error {}

        func fail() async throws -> [UInt8] {
            reads += 1
            try await Loop.sleep(for: readTime)
            throw Failure()
        }

        func read() async throws -> [UInt8] {
            reads += 1
            let value = writes
            repeat { try await Loop.sleep(for: readTime) } while isBlocked
            return Array(String(value).utf8)
        }
    }

    @Loop private static func value(_ cache: ListCache, _ table: Table) async throws -> Int {
        Int(String(decoding: try await cache.body("1", read: table.read), as: UTF8.self)) ?? -1
    }

    @Test("two processes with frequent writes read a page at most four times a second, and it is never 0.6 s old")
    @Loop func paced() async throws {
        try await CacheFixture.run { fixture async throws in
            let caches = [Self.cache(fixture), Self.cache(fixture)]
            let table = Table()
            let start = ContinuousClock.now
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await Self.write(caches[0], table, since: start) }
                for number in 0..<20 { group.addTask { try await Self.ask(caches[number % 2], table, since: start) } }
            }
            let pauses = Int((ContinuousClock.now - start) / Self.pause)
            #expect((4...pauses + 4).contains(table.reads), "\(table.reads) readings in \(pauses) pauses")
        }
    }

    /// Whether the test has lasted 2 s, and the page was written and asked for often. A busy machine needs longer.
    @Loop private static func isOver(_ table: Table, since start: ContinuousClock.Instant) -> Bool {
        .now >= start + .seconds(2) && table.written.count > 50 && table.asked > 1000
    }

    /// Writes up to 50 times a second.
    @Loop private static func write(
        _ cache: ListCache, _ table: Table, since start: ContinuousClock.Instant
    ) async throws {
        while !isOver(table, since: start) {
            table.write()
            await cache.invalidate()
            table.written.append(.now)
            try await Loop.sleep(for: .milliseconds(20))
        }
    }

    /// Asks for the page all the time, and checks its age.
    @Loop private static func ask(
        _ cache: ListCache, _ table: Table, since start: ContinuousClock.Instant
    ) async throws {
        while !isOver(table, since: start) {
            let due = ContinuousClock.now - .milliseconds(600)
            let value = try await value(cache, table)
            table.asked += 1
            #expect(value >= table.written.count { $0 < due })
            try await Loop.sleep(for: .milliseconds(2))
        }
    }

    @Test("a single write is visible at once, and the next one after the pause")
    @Loop func edges() async throws {
        try await CacheFixture.run { fixture async throws in
            let cache = Self.cache(fixture)
            let table = Table()
            #expect(try await Self.value(cache, table) == 0)
            try await Loop.sleep(for: Self.pause)
            table.write()
            await cache.invalidate()
            #expect(try await Self.value(cache, table) == 1)
            table.write()
            await cache.invalidate()
            #expect(try await Self.value(cache, table) == 1)
            try await Loop.sleep(for: Self.pause)
            #expect(try await Self.value(cache, table) == 2)
            #expect(try await Self.value(cache, table) == 2)
            #expect(table.reads == 3)
        }
    }

    @Test("a task that asks under a new generation shares the reading that began shortly before")
    @Loop func sharedAcrossGenerations() async throws {
        try await CacheFixture.run { fixture async throws in
            let cache = Self.cache(fixture, pause: .seconds(60))
            // The generation is old, so the write begins a new one at once.
            _ = try await fixture.redis.send(["SET", .string(fixture.generationKey), "1"])
            let table = Table()
            table.isBlocked = true
            async let first = Self.value(cache, table)
            try #require(try await eventually { table.reads == 1 })
            table.write()
            await cache.invalidate()
            async let second = Self.value(cache, table)
            try await Loop.sleep(for: .seconds(1))
            table.isBlocked = false
            #expect(try await (first, second) == (0, 0))
            #expect(table.reads == 1)
        }
    }

    @Test("a task that asks under a new generation does not share a reading that is older than the pause")
    @Loop func notShared() async throws {
        try await CacheFixture.run { fixture async throws in
            let cache = Self.cache(fixture, pause: .milliseconds(50))
            _ = try await fixture.redis.send(["SET", .string(fixture.generationKey), "1"])
            let table = Table()
            table.isBlocked = true
            async let first = Self.value(cache, table)
            try #require(try await eventually { table.reads == 1 })
            try await Loop.sleep(for: .milliseconds(60))
            table.write()
            await cache.invalidate()
            async let second = Self.value(cache, table)
            #expect(try await eventually { table.reads == 2 })
            table.isBlocked = false
            #expect(try await (first, second) == (0, 1))
        }
    }

    @Test("the error of a shared reading is thrown in all tasks, and the next task reads again")
    @Loop func failure() async throws {
        try await CacheFixture.run { fixture async throws in
            let cache = Self.cache(fixture)
            let table = Table()
            table.readTime = .milliseconds(50)
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<10 {
                    group.addTask {
                        await #expect(throws: Table.Failure.self) { try await cache.body("1", read: table.fail) }
                    }
                }
            }
            #expect(table.reads == 1)
            #expect(try await cache.body("1") { [1] } == [1])
        }
    }

    @Test("a page that was read before a write is not served after the pause, whoever stores it")
    @Loop func lateReader() async throws {
        try await CacheFixture.run { fixture async throws in
            let cache = Self.cache(fixture, pause: .milliseconds(50))
            let old = try await cache.body("1") {
                await cache.invalidate()
                try await Loop.sleep(for: .milliseconds(100))
                return [0]
            }
            #expect(old == [0])
            #expect(try await cache.body("1") { [1] } == [1])
        }
    }

    @Test("a generation that Redis has lost, or a clock that was set back, gets a new number within the pause")
    @Loop func lostGeneration() async throws {
        try await CacheFixture.run { fixture async throws in
            let cache = Self.cache(fixture)
            let key = fixture.generationKey
            let future = 4_000_000_000_000_000
            for (round, stored) in [nil, "\(future)", "\(future) \(future + 250_000)", "1", "nonsense"].enumerated() {
                if let stored {
                    _ = try await fixture.redis.send(["SET", .string(key), .string(stored)])
                } else {
                    _ = try await fixture.redis.send(["DEL", .string(key)])
                }
                _ = try await cache.body("1") { [255] }
                await cache.invalidate()
                try await Loop.sleep(for: Self.pause + .milliseconds(10))
                #expect(try await cache.body("1") { [UInt8(round)] } == [UInt8(round)], "\(stored ?? "none")")
            }
            _ = try await fixture.redis.send(["DEL", .string(key)])
        }
    }

    @Test("while Redis is not available, tasks still share a reading and get its value")
    @Loop func away() async throws {
        try await CacheFixture.run { fixture async throws in
            fixture.proxy.refuse()
            #expect(try await eventually { !fixture.redis.isConnected })
            let cache = Self.cache(fixture)
            let table = Table()
            async let first = Self.value(cache, table)
            async let second = Self.value(cache, table)
            async let third = Self.value(cache, table)
            #expect(try await (first, second, third) == (0, 0, 0))
            #expect(table.reads == 1)
            fixture.proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { fixture.redis.isConnected })
        }
    }
}
