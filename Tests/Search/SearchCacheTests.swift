import Contracts
import Postgres
import Reactor
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

    @Test("a created or deleted post invalidates all cached searches, also those without hits")
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
