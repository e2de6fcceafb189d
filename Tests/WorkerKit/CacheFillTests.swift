import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("What a cache lacks", .timeLimit(.minutes(3)))
struct CacheFillTests {
    /// The database's part: counts how often it is read, and holds its readers back until it is let go.
    @Loop private final class Source {
        private(set) var reads = 0
        let gate = Gate()
        var value: String? = "read"

        func read() async throws -> [UInt8]? {
            reads += 1
            await gate.pass()
            return value.map { Array($0.utf8) }
        }

        func page() async throws -> [UInt8] { try await read() ?? [] }
    }

    /// Has many ask for the same at once; lets the readers go once there is one.
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

    /// Waits long enough for all readers to have come, and lets them go.
    @Loop private func open(_ source: Source) async throws {
        _ = try await eventually { source.reads > 0 }
        try await Loop.sleep(for: .milliseconds(100))
        source.gate.open()
    }

    @Test("is read once, however many of a process ask for it at the same time")
    @Loop func oneProcess() async throws {
        try await Shelf.run { shelf async throws in
            let (thing, page) = (Source(), Source())
            let things = try await ask(50, thing) { try await shelf.things.body("a") { try await thing.read() } }
            #expect(things.count { $0 == "read" } == 50)
            #expect(thing.reads == 1)
            let pages = try await ask(50, page) { try await shelf.pages.body("1") { try await page.page() } }
            #expect(pages.count { $0 == "read" } == 50)
            #expect(page.reads == 1)
            #expect(try await shelf.things.body("a") { nil } == Array("read".utf8))
            #expect(try await shelf.pages.body("1") { [] } == Array("read".utf8))
        }
    }

    @Test("is read once by several processes that ask for it at the same time")
    @Loop func severalProcesses() async throws {
        try await Shelf.run { first async throws in
            try await Shelf.run(name: first.name) { second async throws in
                let (thing, page) = (Source(), Source())
                // Whoever reads is quick: the others wait for each other's reading only so long.
                thing.gate.open()
                page.gate.open()
                let things = try await ask(20, thing) {
                    async let one = first.things.body("a") { try await thing.read() }
                    async let two = second.things.body("a") { try await thing.read() }
                    let both = try await (one, two)
                    return both.0 == both.1 ? both.0 : nil
                }
                #expect(things.count { $0 == "read" } == 20)
                #expect(thing.reads == 1)
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

    @Test("is waited for only for a moment, where the process that was to read it has died")
    @Loop func deadReader() async throws {
        try await Shelf.run { shelf async throws in
            _ = try await shelf.redis.send(["SET", .string("{\(shelf.name):a}:reading"), "", "PX", 60_000])
            let source = Source()
            source.gate.open()
            let began = ContinuousClock.now
            #expect(try await shelf.things.body("a") { try await source.read() } == Array("read".utf8))
            #expect(ContinuousClock.now - began < .seconds(5))
            // It is there for the next one all the same.
            #expect(try await shelf.things.body("a") { nil } == Array("read".utf8))
        }
    }

    @Test("is read by everyone for themselves while Redis is away")
    @Loop func noRedis() async throws {
        try await Shelf.run { shelf async throws in
            shelf.proxy.refuse()
            #expect(try await eventually { !shelf.redis.isConnected })
            let source = Source()
            let values = try await ask(10, source) { try await shelf.things.body("a") { try await source.read() } }
            #expect(values.count { $0 == "read" } == 10)
            #expect(source.reads == 10)
        }
    }

    @Test("is not stored by a reader who was slower than its deletion, and the deletion is seen at once")
    @Loop func slowReader() async throws {
        try await Shelf.run { shelf async throws in
            let source = Source()
            async let slow = shelf.things.body("a") { try await source.read() }
            #expect(try await eventually { source.reads == 1 })
            await shelf.things.bury("a")
            // Who asks after the deletion does not share what was read before it.
            #expect(try await shelf.things.body("a") { nil } == nil)
            source.gate.open()
            #expect(try await slow == Array("read".utf8))
            #expect(try await shelf.things.body("a") { nil } == nil)
        }
    }

    @Test("of a page is read anew after a write, though an earlier reader is not done yet")
    @Loop func pageAfterWrite() async throws {
        try await Shelf.run { shelf async throws in
            let before = Source()
            before.value = "without it"
            async let slow = shelf.pages.body("1") { try await before.page() }
            #expect(try await eventually { before.reads == 1 })
            await shelf.pages.invalidate()
            #expect(try await shelf.pages.body("1") { Array("with it".utf8) } == Array("with it".utf8))
            before.gate.open()
            #expect(try await slow == Array("without it".utf8))
            #expect(try await shelf.pages.body("1") { [] } == Array("with it".utf8))
        }
    }

    @Test("and does not exist may exist for the next one")
    @Loop func nothing() async throws {
        try await Shelf.run { shelf async throws in
            let source = Source()
            source.value = nil
            let values = try await ask(3, source) { try await shelf.things.body("a") { try await source.read() } }
            #expect(values.allSatisfy { $0 == nil })
            source.value = "made"
            #expect(try await shelf.things.body("a") { try await source.read() } == Array("made".utf8))
        }
    }

    @Test("and could not be read is read by the next one, at once")
    @Loop func failure() async throws {
        try await Shelf.run { shelf async throws in
            for _ in 0..<2 {
                await #expect(throws: Passing.self) { try await shelf.things.body("a") { throw Passing() } }
            }
            #expect(try await shelf.things.body("a") { [1] } == [1])
            #expect(try await shelf.redis.send(["EXISTS", .string("{\(shelf.name):a}:reading")]).integer == 0)
        }
    }
}
