import Contracts
import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("A cache", .timeLimit(.minutes(3)))
struct CacheTests {
    private func text(_ finding: EntityCache.Finding) -> String {
        switch finding {
        case .hit(let bytes): String(decoding: bytes, as: UTF8.self)
        case .miss: "miss"
        case .unavailable: "unavailable"
        }
    }

    private func text(_ finding: ListCache.Finding) -> String {
        switch finding {
        case .hit(let bytes): String(decoding: bytes, as: UTF8.self)
        case .miss: "miss"
        case .unavailable: "unavailable"
        }
    }

    private func generation(_ finding: ListCache.Finding) throws -> String {
        guard case .miss(let generation) = finding else {
            Issue.record("a page was there")
            return ""
        }
        return generation
    }

    @Test("shows what it was filled with, and a slow reader cannot bring a deleted thing back")
    @Loop func entity() async throws {
        try await Shelf.run { shelf async throws in
            #expect(text(await shelf.things.find("a")) == "miss")
            await shelf.things.fill("a", Array("one".utf8))
            #expect(text(await shelf.things.find("a")) == "one")
            await shelf.things.fill("a", Array("older".utf8))
            #expect(text(await shelf.things.find("a")) == "one")
            await shelf.things.bury("a")
            #expect(text(await shelf.things.find("a")) == "unavailable")
            await shelf.things.fill("a", Array("one".utf8))
            #expect(text(await shelf.things.find("a")) == "unavailable")

            #expect(text(await shelf.things.find("b")) == "miss")
            await shelf.things.bury("b")
            await shelf.things.fill("b", Array("read before".utf8))
            #expect(text(await shelf.things.find("b")) == "unavailable")
            let left = try await shelf.redis.send(["TTL", .string("\(shelf.name):b")]).integer ?? 0
            #expect((10...60).contains(left))
        }
    }

    @Test("never shows a page that was stored under an earlier generation")
    @Loop func pages() async throws {
        try await Shelf.run { shelf async throws in
            let before = try generation(await shelf.pages.find("1"))
            await shelf.pages.invalidate()
            await shelf.pages.store("1", Array("old".utf8), generation: before)
            let after = try generation(await shelf.pages.find("1"))
            #expect(after != before)
            await shelf.pages.store("1", Array("new".utf8), generation: after)
            #expect(text(await shelf.pages.find("1")) == "new")
            #expect(text(await shelf.pages.find("2")) == "miss")
            await shelf.pages.invalidate()
            #expect(text(await shelf.pages.find("1")) == "miss")
        }
    }

    @Test("whose generation Redis has lost never comes back to a number it had, whoever asks first")
    @Loop func lostGeneration() async throws {
        try await Shelf.run { shelf async throws in
            var seen: [String] = []
            for round in 0..<3 {
                // Evicted, or a Redis begun afresh; the pages of before may still be there.
                _ = try await shelf.redis.send(["DEL", .string(shelf.generationKey)])
                if round > 0 { await shelf.pages.invalidate() }
                let generation = try generation(await shelf.pages.find("1"))
                seen.append(generation)
                await shelf.pages.store("1", Array("round \(round)".utf8), generation: generation)
            }
            #expect(Set(seen).count == 3)
        }
    }

    @Test("that is away is a miss that stores nothing, and hinders nobody")
    @Loop func away() async throws {
        try await Shelf.run { shelf async throws in
            let generation = try generation(await shelf.pages.find("1"))
            shelf.proxy.refuse()
            #expect(try await eventually { !shelf.redis.isConnected })
            #expect(text(await shelf.things.find("a")) == "unavailable")
            #expect(text(await shelf.pages.find("1")) == "unavailable")
            await shelf.things.fill("a", [1])
            await shelf.pages.store("1", [1], generation: generation)
            shelf.proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { shelf.redis.isConnected })
            #expect(text(await shelf.things.find("a")) == "miss")
            #expect(text(await shelf.pages.find("1")) == "miss")
        }
    }

    @Test("that was away when something was deleted is told before anyone reads from it again")
    @Loop func missed() async throws {
        try await Shelf.run { shelf async throws in
            await shelf.things.fill("a", Array("there".utf8))
            let generation = try generation(await shelf.pages.find("1"))
            await shelf.pages.store("1", Array("with a".utf8), generation: generation)
            shelf.proxy.refuse()
            #expect(try await eventually { !shelf.redis.isConnected })
            await shelf.things.bury("a")
            await shelf.pages.invalidate()
            shelf.proxy.resume()
            // Whoever looks, from the first moment on, sees the cache either away or told.
            var sights: Set<String> = []
            #expect(
                try await eventually(within: .seconds(30)) {
                    sights.insert(text(await shelf.things.find("a")))
                    sights.insert(text(await shelf.pages.find("1")))
                    return sights.contains("miss")
                })
            #expect(sights == ["unavailable", "miss"])
        }
    }

    @Test("that is cut off while it is told is told again")
    @Loop func cutOff() async throws {
        try await Shelf.run { shelf async throws in
            await shelf.things.fill("a", Array("there".utf8))
            shelf.proxy.stall()
            async let buried: Void = shelf.things.bury("a")
            try await Loop.sleep(for: .milliseconds(50))
            shelf.proxy.refuse()
            shelf.proxy.resume()
            await buried
            #expect(try await eventually(within: .seconds(30)) { shelf.redis.isConnected })
            #expect(text(await shelf.things.find("a")) == "unavailable")
            await shelf.things.fill("a", Array("there".utf8))
            #expect(text(await shelf.things.find("a")) == "unavailable")
        }
    }
}
