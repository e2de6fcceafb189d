import Contracts
import Postgres
import Reactor
import Testing
import WorkerKit

@testable import SearchService

@Suite("Answers are cached until something changes them") struct CachingTests {
    @Test("an answer that was given is given again without the database")
    @Loop func hit() async throws {
        try await SearchBench.with { bench in
            try await bench.post("clover")
            let first = try await bench.ask("clover")
            _ = try await bench.database.query(Statement("DELETE FROM documents"))
            #expect(try await bench.ask("clover") == first)
            #expect(try await bench.search("clover", page: 2).number?.total == 0, "another page is another answer")
            #expect(try await bench.search("clover", limit: 9).number?.total == 0)
        }
    }

    @Test("a post that comes or goes changes every answer at once, also those that found nothing")
    @Loop func invalidation() async throws {
        try await SearchBench.with { bench in
            #expect(try await bench.found("clover").isEmpty)
            let post = try await bench.post("clover")
            #expect(try await bench.found("clover") == ["clover"])
            #expect(try await bench.found("clovr") == ["clover"])
            try await bench.delete(post)
            #expect(try await bench.found("clover").isEmpty)
            #expect(try await bench.found("clovr").isEmpty)
        }
    }
}
