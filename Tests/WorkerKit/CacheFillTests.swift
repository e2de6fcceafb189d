import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Readings of missing cache entries", .timeLimit(.minutes(3)))
struct CacheFillTests {
    /// A database that counts its readings and holds the readers back until its barrier opens.
    @Loop private final class Source {
        private(set) var reads = 0
        let barrier = Barrier()
        var value: String? = "read"

        func read() async throws -> [UInt8]? {
            reads += 1
            await barrier.pass()
            return value.map { Array($0.utf8) }
        }

        func page() async throws -> [UInt8] { try await read() ?? [] }
    }

    /// Starts many tasks that ask for the same value, and opens the barrier when the first reading has begun.
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

    /// Opens the barrier after a time in which all readers can arrive.
    @Loop private func open(_ source: Source) async throws {
        _ = try await eventually { source.reads > 0 }
        try await Loop.sleep(for: .milliseconds(100))
        source.barrier.open()
    }

    @Test("a value that many tasks of a process ask for at the same time is read once")
    @Loop func oneProcess() async throws {
        try await CacheFixture.run { fixture async throws in
            let (entity, page) = (Source(), Source())
            let entities = try await ask(50, entity) {
                try await fixture.entities.body("a") { try await entity.read() }
            }
            #expect(entities.count { $0 == "read" } == 50)
            #expect(entity.reads == 1)
            let pages = try await ask(50, page) { try await fixture.pages.body("1") { try await page.page() } }
            #expect(pages.count { $0 == "read" } == 50)
            #expect(page.reads == 1)
            #expect(try await fixture.entities.body("a") { nil } == Array("read".utf8))
            #expect(try await fixture.pages.body("1") { [] } == Array("read".utf8))
        }
    }

    @Test("a value that several processes ask for at the same time is read once")
    @Loop func severalProcesses() async throws {
        try await CacheFixture.run { first async throws in
            try await CacheFixture.run(name: first.name) { second async throws in
                let (entity, page) = (Source(), Source())
                // The readings are quick, because a process waits for another's reading only for 400 ms.
                entity.barrier.open()
                page.barrier.open()
                let entities = try await ask(20, entity) {
                    async let one = first.entities.body("a") { try await entity.read() }
                    async let two = second.entities.body("a") { try await entity.read() }
                    let both = try await (one, two)
                    return both.0 == both.1 ? both.0 : nil
                }
                #expect(entities.count { $0 == "read" } == 20)
                #expect(entity.reads == 1)
                let pages = try await ask(20, page) {
                    async let one = first.pages.body("1") { try await page.page() }
                    async let two = second.pages.body("1") { try await page.page() }
                    let both = try await (one, two)
                    return both.0 == both.1 ? both.0 : nil
                }
                #expect(pages.count { $0 == "read" } == 20)
                #expect(page.reads == 1)
            }
        }
    }

    @Test("a lock of a process that died delays a reading only for a moment")
    @Loop func deadReader() async throws {
        try await CacheFixture.run { fixture async throws in
            _ = try await fixture.redis.send(["SET", .string("{\(fixture.name):a}:reading"), "", "PX", 60_000])
            let source = Source()
            source.barrier.open()
            let began = ContinuousClock.now
            #expect(try await fixture.entities.body("a") { try await source.read() } == Array("read".utf8))
            #expect(ContinuousClock.now - began < .seconds(5))
            // The value was stored although another process has the lock.
            #expect(try await fixture.entities.body("a") { nil } == Array("read".utf8))
        }
    }

    @Test("while Redis is away every task reads for itself")
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

    @Test("a reading that ends after a delete is not stored, and the delete is visible at once")
    @Loop func slowReader() async throws {
        try await CacheFixture.run { fixture async throws in
            let source = Source()
            async let slow = fixture.entities.body("a") { try await source.read() }
            #expect(try await eventually { source.reads == 1 })
            await fixture.entities.bury("a")
            // A task that asks after the delete does not share the reading that began before it.
            #expect(try await fixture.entities.body("a") { nil } == nil)
            source.barrier.open()
            #expect(try await slow == Array("read".utf8))
            #expect(try await fixture.entities.body("a") { nil } == nil)
        }
    }

    @Test("after a write a page is read again although an earlier reading has not ended")
    @Loop func pageAfterWrite() async throws {
        try await CacheFixture.run { fixture async throws in
            let before = Source()
            before.value = "without it"
            async let slow = fixture.pages.body("1") { try await before.page() }
            #expect(try await eventually { before.reads == 1 })
            await fixture.pages.invalidate()
            #expect(try await fixture.pages.body("1") { Array("with it".utf8) } == Array("with it".utf8))
            before.barrier.open()
            #expect(try await slow == Array("without it".utf8))
            #expect(try await fixture.pages.body("1") { [] } == Array("with it".utf8))
        }
    }

    @Test("the absence of a value is not stored")
    @Loop func nothing() async throws {
        try await CacheFixture.run { fixture async throws in
            let source = Source()
            source.value = nil
            let values = try await ask(3, source) { try await fixture.entities.body("a") { try await source.read() } }
            #expect(values.allSatisfy { $0 == nil })
            source.value = "made"
            #expect(try await fixture.entities.body("a") { try await source.read() } == Array("made".utf8))
        }
    }

    @Test("after a failed reading the next task reads at once")
    @Loop func failure() async throws {
        try await CacheFixture.run { fixture async throws in
            for _ in 0..<2 {
                await #expect(throws: TransientFailure.self) {
                    try await fixture.entities.body("a") { throw TransientFailure() }
                }
            }
            #expect(try await fixture.entities.body("a") { [1] } == [1])
            #expect(try await fixture.redis.send(["EXISTS", .string("{\(fixture.name):a}:reading")]).integer == 0)
        }
    }
}
