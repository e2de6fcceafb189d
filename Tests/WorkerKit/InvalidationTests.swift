import FoundationEssentials
import Reactor
import Redis
import TestSupport
import Testing

@testable import WorkerKit

@Suite("An invalidation that Redis did not take", .timeLimit(.minutes(3)))
struct InvalidationTests {
    @Test("is done again soon over the connection that stayed up, and kept once however often it was due")
    @Loop func sameConnection() async throws {
        try await Shelf.run { shelf async throws in
            // A list where a number should be: the server refuses, and the connection stays.
            _ = try await shelf.redis.send(["RPUSH", .string(shelf.generationKey), "no number"])
            for _ in 0..<50 { await shelf.pages.invalidate() }
            #expect(shelf.invalidations.count <= 1)
            _ = try await shelf.redis.send(["DEL", .string(shelf.generationKey)])
            let isDone = try await eventually(within: .seconds(10)) {
                try await shelf.redis.send(["TYPE", .string(shelf.generationKey)]).string == "string"
            }
            #expect(isDone)
            #expect(shelf.invalidations.count == 0)
            #expect(shelf.proxy.acceptedCount == 1)
        }
    }

    @Test("counts as done once the same one has succeeded")
    @Loop func superseded() async throws {
        try await Shelf.run { shelf async throws in
            shelf.proxy.refuse()
            #expect(try await eventually { !shelf.redis.isConnected })
            for id in ["a", "b", "a", "b", "a"] { await shelf.things.bury(id) }
            #expect(shelf.invalidations.count == 2)
            shelf.proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { shelf.redis.isConnected })
            #expect(try await eventually { shelf.invalidations.count == 0 })
            await shelf.things.fill("a", [1])
            guard case .unavailable = await shelf.things.find("a") else {
                Issue.record("it could be filled")
                return
            }
        }
    }

    @Test("is bounded in number, so that a long absence costs no memory without end")
    @Loop func bounded() async throws {
        try await Shelf.run { shelf async throws in
            shelf.proxy.refuse()
            #expect(try await eventually { !shelf.redis.isConnected })
            for number in 0..<10_050 { await shelf.things.bury("thing \(number)") }
            #expect(shelf.invalidations.count == 10_000)
        }
    }
}
