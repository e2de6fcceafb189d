import Contracts
import Postgres
import Reactor
import TestSupport
import Testing
import WorkerKit

@testable import SearchService

@Suite("Search cache") struct SearchCacheTests {
    @Test("a repeated search is served from the cache without the database")
    @Loop func hit() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("clover")
            let first = try await fixture.ask("clover")
            _ = try await fixture.database.query(Statement("DELETE FROM documents"))
            #expect(try await fixture.ask("clover") == first)
            #expect(
                try await fixture.search("clover", page: 2).number?.total == 0, "another page has another entry")
            #expect(try await fixture.search("clover", limit: 9).number?.total == 0)
        }
    }

    @Test("200 identical concurrent searches after a new post query the index once")
    @Loop func singleFlight() async throws {
        try await SearchFixture.with(connections: 8) { fixture in
            try await fixture.post("clover")
            // Every query of the index waits for this lock, so the concurrent queries can be counted.
            let lock = try await fixture.database.begin()
            defer { lock.close() }
            _ = try await lock.query(Statement("LOCK TABLE documents"))
            func waitingQueryCount() async throws -> Int {
                let count = Statement(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'documents'::regclass")
                return try await lock.query(count)[0].get(0, as: Int.self)
            }
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<200 { group.addTask { try await fixture.ask("clover") } }
                #expect(try await eventually { try await waitingQueryCount() > 0 })
                try await Loop.sleep(for: .milliseconds(200))
                #expect(try await waitingQueryCount() == 1)
                await lock.rollback()
                var replies: [Reply] = []
                for try await reply in group { replies.append(reply) }
                return replies
            }
            #expect(replies.count == 200)
            #expect(Set(replies).count == 1 && replies[0].status == 200)
        }
    }

    @Test("a created or deleted post invalidates all cached searches, including searches without hits")
    @Loop func invalidation() async throws {
        try await SearchFixture.with { fixture in
            #expect(try await fixture.found("clover").isEmpty)
            let post = try await fixture.post("clover")
            #expect(try await fixture.found("clover") == ["clover"])
            #expect(try await fixture.found("clovr") == ["clover"])
            try await fixture.delete(post)
            #expect(try await fixture.found("clover").isEmpty)
            #expect(try await fixture.found("clovr").isEmpty)
        }
    }
}
