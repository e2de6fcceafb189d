import Contracts
import Reactor
import Testing
import WorkerKit

@testable import SearchService

@Suite("Search pages") struct SearchPageTests {
    @Test("pages of a search have no gaps or duplicates, and each has the totals")
    @Loop func pages() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.add((0..<23).map { "clover \($0)" })
            var seen: [String] = []
            for number in 1...4 {
                let page = try await fixture.search("clover", limit: 7, page: number)
                #expect(page.limit == 7)
                #expect(page.number == .init(page: number, total: 23))
                #expect(page.items.count == (number < 4 ? 7 : 2))
                seen += page.items.map(\.content)
            }
            #expect(Set(seen).count == 23)
            let body = try JSON.parse(await fixture.ask("clover", limit: 7).body)
            #expect(body["totalPosts"]?.integer == 23)
            #expect(body["totalPages"]?.integer == 4)
        }
    }

    @Test("a page after the last one has the right totals and no hits", arguments: [5, 1_000_000])
    @Loop func pastTheEnd(number: Int) async throws {
        try await SearchFixture.with { fixture in
            try await fixture.add((0..<3).map { "clover \($0)" })
            for query in ["clover", "\"clover\"", "clovr", "clov"] {
                let page = try await fixture.search(query, limit: 100, page: number)
                #expect(page.items.isEmpty)
                #expect(page.number == .init(page: number, total: 3), "\(query)")
            }
            #expect(try await fixture.search("nothing", page: number).number == .init(page: number, total: 0))
        }
    }

    @Test("only the newest 2,000 hits are ranked and listed on pages, and the total counts all hits")
    @Loop func bounded() async throws {
        try await SearchFixture.with { fixture in
            let limit = SearchStatements.rankedLimit
            let now = Timestamp.now()
            for start in stride(from: 0, to: limit + 100, by: 500) {
                let time = now.advanced(by: .seconds(-start))
                try await fixture.add((start..<min(start + 500, limit + 100)).map { "clover \($0)" }, at: time)
            }
            // The best match, but the oldest.
            try await fixture.add(["clover clover clover"], at: now.advanced(by: .seconds(-1_000_000)))
            let last = try await fixture.search("clover", limit: 100, page: limit / 100)
            #expect(last.items.count == 100)
            #expect(last.number?.total == limit + 101)
            let past = try await fixture.search("clover", limit: 100, page: limit / 100 + 1)
            #expect(past.items.isEmpty)
            #expect(past.number?.total == limit + 101)
            #expect(try await fixture.search("clover").items.first?.content != "clover clover clover")
        }
    }
}
