import Contracts
import FoundationEssentials
import Postgres
import Reactor
import TestData
import TestSupport
import Testing

@testable import SearchService

@Suite("Searches of a large index") struct SearchScaleTests {
    @Test("the total is exact up to 10,000 hits, and a lower bound above", arguments: [9_999, 10_000, 10_001, 10_500])
    @Loop func totals(count: Int) async throws {
        try await SearchFixture.with { fixture in
            try await fixture.addClover(count)
            for round in 1...2 {
                for page in [1, 20, 1_000] {
                    let found = try await fixture.search("clover", limit: 10 * round, page: page)
                    #expect(found.number?.total == min(count, 10_000), "round \(round), page \(page)")
                    #expect(found.number?.isExact == (count <= 10_000), "round \(round), page \(page)")
                }
                try await fixture.survey.survey()
                #expect(fixture.survey.parts.count > 3)
            }
        }
    }

    @Test("the newest 2,000 hits are ranked, in whatever order the posts were indexed")
    @Loop func newest() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.addClover(20_000)
            let newest = Statement("SELECT id FROM documents ORDER BY created_at DESC, id DESC LIMIT 2000")
            let expected = try await Set(fixture.database.query(newest).map { try $0.get(0, as: UUID.self) })
            for limit in [100, 80] {
                var found: Set<UUID> = []
                for page in 1...2_000 / limit {
                    found.formUnion(try await fixture.search("clover", limit: limit, page: page).items.map(\.id))
                }
                #expect(found == expected)
                #expect(try await fixture.search("clover", limit: limit, page: 2_000 / limit + 1).items.isEmpty)
                try await fixture.survey.survey()
                #expect(fixture.survey.parts.count > 5)
            }
        }
    }

    @Test("hits of old posts are found if the newest posts have none, and a deleted post is not counted")
    @Loop func oldest() async throws {
        try await SearchFixture.with { fixture in
            let old = Timestamp.now().advanced(by: .seconds(-40_000 * 60))
            let posts = try await [fixture.post("thistle", at: old), fixture.post("clover thistle", at: old)]
            try await fixture.addClover(20_000)
            try await fixture.survey.survey()
            #expect(try await fixture.search("thistle").number == .init(page: 1, total: 2))
            #expect(try await fixture.search("clover thistle").items.map(\.id) == [posts[1].id])
            #expect(try await fixture.search("clover -clover or thistl").number?.total == 2)
            try await fixture.delete(posts[0])
            #expect(try await fixture.search("thistle").number == .init(page: 1, total: 1))
            #expect(try await fixture.search("thistel").items.map(\.id) == [posts[1].id], "a typing error")
        }
    }

    @Test("a survey flushes the index's list of pending entries")
    @Loop func pendingList() async throws {
        try await SearchFixture.with { fixture in
            let flush = Statement("SELECT gin_clean_pending_list('documents_search')")
            @Loop func pendingPages() async throws -> Int64 {
                try #require(try await fixture.database.query(flush).first).get(0, as: Int64.self)
            }
            try await fixture.post("clover")
            #expect(try await pendingPages() == 1)
            try await fixture.post("clover")
            try await fixture.survey.survey()
            #expect(try await pendingPages() == 0)
        }
    }

    @Test("posts that are newer and older than all posts of the last survey are found")
    @Loop func outdated() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.addClover(5_000)
            try await fixture.survey.survey()
            let now = Timestamp.now()
            for days in [-2_000, -100, 1, 1_000] {
                try await fixture.post("thistle", at: now.advanced(by: .seconds(days * 86_400)))
            }
            #expect(try await fixture.search("thistle").number?.total == 4)
            // The second survey keeps the old parts.
            try await fixture.survey.survey()
            #expect(try await fixture.search("thistle", limit: 20).number?.total == 4)
        }
    }

    @Test("the database computes the same time buckets, and each time is in one part")
    @Loop func buckets() async throws {
        try await SearchFixture.with { fixture in
            var generator = SeededGenerator(seed: 5)
            let now: Int64 = 1_800_000_000
            var boundaries: [Int64] = []
            var age: Int64 = 30
            while age < now {
                boundaries.append(now - age)
                age = age * 3 / 2 + Int64.random(in: 1...1000, using: &generator)
            }
            let parts = IndexParts(boundaries: boundaries.map { ($0, 1_000) }, rest: 1_000, now: now)
            let (buckets, ends) = parts.cover
            #expect(parts.count > 20 && ends.count == parts.count)
            #expect(Set(buckets).count == buckets.count)
            var times: [Int64] = [1, now, now + 200_000_000]
            for boundary in boundaries {
                for distance: Int64 in [-17, -1, 0, 1, 16] { times.append(boundary + distance) }
            }
            for _ in 0..<500 { times.append(Int64.random(in: 1...now, using: &generator)) }
            let rows = try await fixture.database.query(
                Statement("SELECT time_buckets(to_timestamp(at)) FROM unnest($1::bigint[]) AS at"), times)
            var partNumbers: [(time: Int64, part: Int)] = []
            for (time, row) in zip(times, rows) {
                let found = try Set(row.get(0, as: [Int64].self))
                let indexes = buckets.indices.filter { found.contains(buckets[$0]) }
                #expect(indexes.count == 1, "\(time)")
                let bucket = try #require(indexes.first)
                let part = ends.firstIndex { $0 > bucket } ?? -1
                partNumbers.append((time, part))
            }
            partNumbers.sort { $0.time > $1.time }
            #expect(partNumbers.map(\.part) == partNumbers.map(\.part).sorted(), "newer posts are in earlier parts")
        }
    }

    @Test("each part is covered by few buckets")
    func coverSizes() {
        let now: Int64 = 1_800_000_000
        let boundaries = (1...30).map { (time: now - 400_000 * $0, posts: Int64(1_000)) }
        let parts = IndexParts(boundaries: boundaries, rest: 1_000, now: now)
        #expect(parts.count == 31)
        let ends = parts.cover.ends
        for (start, end) in zip([0] + ends, ends) { #expect((1...80).contains(end - start)) }
    }

    @Test("boundaries in the same bucket bound one part, which has the posts of all of them")
    func burst() {
        let now: Int64 = 1_800_000_000
        // 64,000 posts in the last 32 s, and as many before.
        let boundaries = (0..<64).map { (time: now - Int64($0) / 2, posts: Int64(1_000)) }
        let parts = IndexParts(boundaries: boundaries, rest: 64_000, now: now)
        #expect((2...5).contains(parts.count), "\(parts.count)")
        var sizes: [Int64] = []
        _ = parts.merged { posts, isFirst in
            #expect(isFirst == sizes.isEmpty)
            sizes.append(posts)
            return true
        }
        #expect(sizes.reduce(0, +) <= 64_000)
        // A word in a tenth of the posts: the first part that has 2,200 hits must not be the whole index.
        #expect(parts.merged { posts, isFirst in posts / 10 >= (isFirst ? 2_200 : 4_000) }.count > 1)
    }

    @Test("a clock that is years behind hides no post")
    func clock() {
        let newest: Int64 = 1_800_000_000
        let parts = IndexParts(boundaries: [(newest, 10), (newest - 5_000, 10)], rest: 10, now: 1_000)
        let buckets = Set(parts.cover.buckets)
        #expect(!buckets.isDisjoint(with: (0..<7).map { (newest >> (4 * ($0 + 1))) * 8 + $0 }))
    }

    @Test("a search for rare words reads the index at once, and a search for frequent words reads it in parts")
    @Loop func rareWords() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.addClover(20_000)
            try await fixture.post("clover thistle")
            _ = try await fixture.database.query(Statement("ANALYZE documents"))
            try await fixture.survey.survey()
            let lexicon = Lexicon(database: fixture.database)
            for (text, isRare) in [
                ("clover", false), ("thistle", true), ("clover thistle", true), ("clover or thistle", false),
                ("\"clover thistle\"", true), ("thistle -clover", true), ("clover -thistle", false), ("unknown", true),
            ] {
                let entries = try await lexicon.load([text])
                let query = try #require(TSQuery(SearchExpression(text), entries))
                let parts = fixture.survey.parts(for: query)
                #expect((parts == nil) == isRare, "\(text)")
                #expect(parts.map { (3..<8).contains($0.count) } ?? true, "\(text)")
            }
            #expect(try await fixture.search("thistle").number?.total == 1)
            let number = try await fixture.search("clover or thistle").number
            #expect(number == .init(page: 1, total: 10_000, isExact: false))
        }
    }

    @Test("the hits of a frequent word are counted once, and the posts of its alternatives are found")
    @Loop func frequentWords() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.addClover(20_000)
            try await fixture.post("thistle")
            _ = try await fixture.database.query(Statement("ANALYZE documents"))
            try await fixture.survey.survey()
            for query in ["clover or thistle", "thistle or clover", "clover"] {
                let page = try await fixture.search(query)
                #expect(page.number == .init(page: 1, total: 10_000, isExact: false), "\(query)")
                #expect(page.items.count == 10)
            }
            // All but 5,000 posts are deleted. The count is remembered, but only for these words alone.
            _ = try await fixture.database.query(
                Statement("UPDATE documents SET words = '' WHERE created_at < now() - interval '5000 minutes'"))
            #expect(try await fixture.search("clover", limit: 20).number?.isExact == false)
            for query in ["clover -thistle", "clover clover", "\"clover\" -x"] {
                #expect(try await fixture.search(query, limit: 20).number?.total == 4_999, "\(query)")
            }
        }
    }

    @Test("a count of a frequent word expires")
    @Loop func expiry() async throws {
        let stems = FrequentStems(lifetime: .milliseconds(100))
        #expect(!stems.contains("clover"))
        stems.insert("clover")
        #expect(stems.contains("clover"))
        #expect(!stems.contains("thistle"))
        try await Loop.sleep(for: .milliseconds(120))
        #expect(!stems.contains("clover"))
    }

    @Test("a search also finds posts with at most 64 words that begin with its word, and with 8 mistyped words")
    @Loop func prefixes() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.add(
                (0..<70).map { "clov\(String(repeating: "x", count: $0 / 10))\(Array("abcdefghij")[$0 % 10])" })
            let total = try #require(try await fixture.search("clov").number?.total)
            #expect((64...72).contains(total))
        }
    }
}
