import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestData
import TestSupport
import Testing

@testable import SearchService
@testable import WorkerKit

@Suite("Search index") struct IndexTests {
    @Test("a deleted post is not found, for any order of its creation and deletion events, each delivered twice")
    @Loop func orders() async throws {
        let (created, deleted) = (0, 1)
        for order in [
            [created, created, deleted, deleted], [deleted, deleted, created, created],
            [created, deleted, created, deleted], [deleted, created, deleted, created],
            [created, deleted, deleted, created], [deleted, created, created, deleted],
        ] {
            try await SearchFixture.with { fixture in
                let post = SearchFixture.post("short-lived clover")
                let other = try await fixture.post("lasting clover")
                for event in order {
                    if event == created {
                        try await fixture.deliver(PostCreated(post: post, mediaIds: []))
                    } else {
                        try await fixture.delete(post)
                    }
                }
                let page = try await fixture.search("clover")
                #expect(page.items.map(\.id) == [other.id], "\(order)")
                #expect(page.number?.total == 1)
                let kept = "SELECT count(*) FROM documents WHERE content LIKE 'short%' OR words @@ 'short'"
                #expect(try await fixture.database.count(kept) == 0, "its content is erased")
            }
        }
    }

    @Test("a post whose event is redelivered is found once")
    @Loop func twice() async throws {
        try await SearchFixture.with { fixture in
            let post = SearchFixture.post("clover")
            for _ in 0..<2 { try await fixture.deliver(PostCreated(post: post, mediaIds: [])) }
            #expect(try await fixture.search("clover").number?.total == 1)
        }
    }

    @Test("a batch with duplicate posts adds each post once and removes each post once")
    @Loop func batches() async throws {
        try await SearchFixture.with { fixture in
            let index = fixture.index
            let posts = (0..<64).map { SearchFixture.post("clover \($0)") }
            #expect(try await index.add(posts + posts.prefix(3)) == 64)
            #expect(try await index.add(posts) == 0)
            #expect(try await fixture.search("clover").number?.total == 64)
            let deleted = (posts.prefix(10) + posts.prefix(2)).map {
                PostDeleted(id: $0.id, authorId: $0.author.id, mediaIds: [], deletedAt: .now())
            }
            try await index.remove(deleted)
            #expect(try await index.add(posts) == 0)
            // Another limit avoids the cached page, which direct calls of the index do not invalidate.
            #expect(try await fixture.search("clover", limit: 20).number?.total == 54)
            #expect(try await index.add([]) == 0)
            try await index.remove([])
        }
    }

    @Test("a post that an earlier version indexed gets the current words when it is added again")
    @Loop func earlierVersion() async throws {
        try await SearchFixture.with { fixture in
            let post = SearchFixture.post("see example.com today")
            #expect(try await fixture.index.add([post]) == 1)
            let earlier = Statement("UPDATE documents SET words = to_tsvector('english', content)")
            _ = try await fixture.database.query(earlier)
            #expect(try await fixture.search("example.com").number?.total == 0)
            #expect(try await fixture.index.add([post, post]) == 1)
            #expect(try await fixture.search("example.com", limit: 20).number?.total == 1)
            #expect(try await fixture.index.add([post]) == 0)
        }
    }

    @Test("workers that index the same posts concurrently neither fail nor duplicate rows")
    @Loop func concurrently() async throws {
        try await SearchFixture.with(connections: 8) { fixture in
            let posts = (0..<200).map { SearchFixture.post("clover word\($0)a word\($0)b word\($0)c") }
            try await withThrowingDiscardingTaskGroup { group in
                for worker in 0..<8 {
                    group.addTask { try await Self.addAndRemove(fixture, posts, seed: UInt64(worker)) }
                }
            }
            #expect(try await fixture.search("clover").number?.total == 180)
            #expect(try await fixture.database.count("SELECT count(*) FROM vocabulary") == 602)
        }
    }

    /// Adds and removes posts in a random order.
    @Loop private static func addAndRemove(_ fixture: SearchFixture, _ posts: [Post], seed: UInt64) async throws {
        let index = fixture.index
        var generator = SeededGenerator(seed: seed)
        let mine = posts.shuffled(using: &generator)
        for start in stride(from: 0, to: mine.count, by: 20) {
            let batch = Array(mine[start..<start + 20])
            try await index.add(batch)
            try await index.remove(
                batch.filter { $0.content.contains("7a ") }.map {
                    PostDeleted(id: $0.id, authorId: $0.author.id, mediaIds: [], deletedAt: .now())
                })
        }
    }

    @Test(
        "a post with unusual content is indexed, and other posts are still found",
        arguments: [
            String(repeating: "x", count: 5000), String(repeating: "é", count: 5000),
            String(repeating: "🐇", count: 5000),
            String(repeating: "a\u{0301}", count: 2500), "\u{202E}\u{200F}שלום عليكم", "'; DROP TABLE documents; --",
            (0..<1600).map { "w\($0)" }.joined(separator: " "), "\\ \\' ''' \"\"\" :* & | ! ( ) <->",
            "\u{1}\u{7F}\u{85}",
            String(repeating: "http://a.b/c?d=e ", count: 290), String(repeating: "a-", count: 2500),
        ])
    @Loop func anyContent(content: String) async throws {
        try await SearchFixture.with { fixture in
            let post = try await fixture.post(content)
            let plain = try await fixture.post("clover")
            #expect(try await fixture.database.count("SELECT count(*) FROM documents") == 2)
            #expect(try await fixture.search("clover").items.map(\.id) == [plain.id])
            #expect(
                try await fixture.database.count("SELECT count(*) FROM vocabulary") <= Lexicon.newWordLimit + 1)
            try await fixture.delete(post)
        }
    }

    @Test("the loop runs other jobs while the words of many posts of 2 KB are looked up")
    @Loop func longLookup() async throws {
        try await SearchFixture.with { fixture in
            let lexicon = Lexicon(database: fixture.database)
            let texts = (0..<500).map { TokenizedText("\($0) " + String(repeating: "clover ", count: 300)) }
            try await lexicon.load(texts)
            var result: Result<Lexicon.Entries, PostgresError>?
            let ticks = await loopTicks {
                do throws(PostgresError) {
                    result = .success(try await lexicon.load(texts))
                } catch {
                    result = .failure(error)
                }
            }
            _ = try #require(result).get()
            #expect(ticks > 10)
        }
    }

    @Test("a batch has texts of up to 4,096 bytes together, or one longer text")
    @Loop func batchSizes() {
        func batches(_ sizes: [Int]) -> [Range<Int>] {
            TokenizedText.batches(of: sizes.map { TokenizedText(String(repeating: "x", count: $0)) })
        }
        #expect(batches([]) == [])
        #expect(batches([1, 2, 3]) == [0..<3])
        #expect(batches([4096, 1, 4095, 1]) == [0..<1, 1..<3, 3..<4])
        #expect(batches([5000, 1, 5000, 9000, 1]) == [0..<1, 1..<2, 2..<3, 3..<4, 4..<5])
    }

    @Test("an analysis of posts has all their words while another task empties the lexicon", .timeLimit(.minutes(1)))
    @Loop func emptying() async throws {
        try await SearchFixture.with { fixture in
            let lexicon = Lexicon(database: fixture.database, limit: 0)
            let posts = (0..<20).map { "hay\($0)x " + String(repeating: "clover ", count: 600) }
            let analysis = try await withThrowingTaskGroup(of: Void.self, returning: Lexicon.Analysis.self) { group in
                group.addTask { await Self.empty(lexicon) }
                defer { group.cancelAll() }
                return try await lexicon.analyze(posts)
            }
            #expect(analysis.newWords.isSuperset(of: ["clover", "hay0x", "hay19x"]))
            #expect(analysis.vectors.allSatisfy { $0.contains("'clover':") })
        }
    }

    /// Empties a lexicon with a limit of no words until the task is cancelled.
    @Loop private static func empty(_ lexicon: Lexicon) async {
        while !Task.isCancelled {
            _ = try? await lexicon.load([""])
            await Task.yield()
        }
    }

    @Test("the lexicon returns the new words of posts once, and no words that are recorded in the vocabulary")
    @Loop func knownWords() async throws {
        try await SearchFixture.with { fixture in
            let lexicon = Lexicon(database: fixture.database)
            let first = try await lexicon.analyze(["Clover, CLOVER and hay", "hay 42 a1b no Trèfle"])
            #expect(first.newWords == ["clover", "hay", "a1b", "trefle"])
            lexicon.recordInVocabulary(first)
            #expect(try await lexicon.analyze(["hay and clover!"]).newWords.isEmpty)
            #expect(try await lexicon.analyze(["hay and thistle"]).newWords == ["thistle"])
        }
    }

    @Test("a word counts as new until it is recorded, and again after the lexicon's limit or lifetime is exceeded")
    @Loop func forgetting() async throws {
        try await SearchFixture.with { fixture in
            let small = Lexicon(database: fixture.database, limit: 2)
            #expect(try await small.analyze(["clover"]).newWords == ["clover"])
            #expect(try await small.analyze(["clover"]).newWords == ["clover"])
            small.recordInVocabulary(try await small.analyze(["clover"]))
            #expect(try await small.analyze(["clover"]).newWords.isEmpty)
            try await small.load(["hay", "thistle"])
            #expect(try await small.analyze(["clover"]).newWords == ["clover"], "a full lexicon is emptied")
            let old = Lexicon(database: fixture.database, lifetime: .zero)
            try await old.load(["clover"])
            old.recordInVocabulary(try await old.analyze(["clover"]))
            #expect(try await old.analyze(["clover"]).newWords == ["clover"])
        }
    }

    @Test("the migrations keep the posts of the first version and fill the vocabulary")
    @Loop func migration() async throws {
        try await TestDatabase.withDatabase { url in
            let migrator = Migrator(url: url, log: .quiet)
            let migrations = SearchService.definition.migrations
            try await migrator.migrate(KitMigrations.all + migrations.prefix(1))
            try await TestDatabase.withPool(url, size: 1) { pool in
                let insert = Statement(
                    """
                    INSERT INTO documents (id, author_id, author_name, content, created_at)
                    VALUES ($1, $1, 'x', $2, now())
                    """)
                _ = try await pool.query(insert, UUID.v7(), "Rabbits, a well-known rabbit 42 http://example.org/clover")
                try await migrator.migrate(KitMigrations.all + migrations)
                let rows = try await pool.query(Statement("SELECT word FROM vocabulary"))
                let words = try rows.map { try $0.get(0, as: String.self) }
                #expect(Set(words) == ["rabbits", "rabbit", "well", "known"])
                #expect(try await pool.query(Statement("SELECT id FROM documents WHERE words @@ 'rabbit'")).count == 1)
            }
        }
    }

    @Test("a post adds at most 200 words to the vocabulary")
    @Loop func vocabulary() async throws {
        try await SearchFixture.with { fixture in
            let words = (0..<300).map { "w\($0)x" }.joined(separator: " ")
            let newWords = try await Lexicon(database: fixture.database).analyze([words]).newWords
            #expect(newWords.count == 200)
        }
    }
}
