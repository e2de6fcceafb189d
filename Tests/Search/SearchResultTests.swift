import Contracts
import Reactor
import Testing
import WorkerKit

@Suite("Search results") struct SearchResultTests {
    @Test("a search matches the posts that have all its words, in any letter case and form")
    @Loop func words() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("The rabbits were digging burrows")
            try await fixture.post("A rabbit naps")
            try await fixture.post("Hares dig nothing")
            #expect(try await fixture.found("RABBIT dig") == ["The rabbits were digging burrows"])
            #expect(try await Set(fixture.found("digs")) == ["The rabbits were digging burrows", "Hares dig nothing"])
            #expect(try await fixture.found("badger").isEmpty)
        }
    }

    @Test("a quoted phrase matches only adjacent words")
    @Loop func phrases() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("a white rabbit runs")
            try await fixture.post("a rabbit on white snow")
            #expect(try await fixture.found("\"white rabbit\"") == ["a white rabbit runs"])
            #expect(try await fixture.found("\u{201C}white rabbit\u{201D}") == ["a white rabbit runs"])
            #expect(try await fixture.found("\"white rabbit") == ["a white rabbit runs"], "a missing closing quote")
            #expect(try await fixture.found("\"rabbit white\"").isEmpty)
            #expect(try await fixture.found("white rabbit").count == 2)
        }
    }

    @Test("`or` separates alternatives, and a post must have all words of one alternative")
    @Loop func alternatives() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("carrots and clover")
            try await fixture.post("carrots alone")
            try await fixture.post("lettuce")
            #expect(try await Set(fixture.found("lettuce or carrots")).count == 3)
            #expect(try await Set(fixture.found("lettuce OR carrots clover")) == ["carrots and clover", "lettuce"])
            #expect(try await fixture.found("or lettuce or") == ["lettuce"])
        }
    }

    @Test("a minus excludes the word or phrase that follows it")
    @Loop func exclusions() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("fox and rabbit")
            try await fixture.post("red fox and hound")
            try await fixture.post("well-known fox den")
            #expect(try await fixture.found("fox -rabbit -hound") == ["well-known fox den"])
            #expect(try await Set(fixture.found("fox -\"red fox\"")) == ["fox and rabbit", "well-known fox den"])
            #expect(
                try await fixture.found("well-known") == ["well-known fox den"],
                "a minus inside a word does not exclude")
        }
    }

    @Test("a search that has only exclusions matches no post", arguments: ["-fox", "-\"a b\" or -c", "-❤️ -the"])
    @Loop func exclusionsOnly(query: String) async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("a rabbit")
            let page = try await fixture.search(query)
            #expect(page.items.isEmpty)
            #expect(page.number == .init(page: 1, total: 0))
            #expect(try await fixture.found(query + " or rabbit") == ["a rabbit"])
        }
    }

    @Test("hits are ordered by number and proximity of matches; if these are equal, the newest hit is first")
    @Loop func ranking() async throws {
        try await SearchFixture.with { fixture in
            let now = Timestamp.now()
            let far = "clover grows where nobody goes and nothing at all disturbs it, and a meadow lies beyond"
            try await fixture.post(far, at: now)
            try await fixture.post("a clover meadow", at: now.advanced(by: .seconds(-3)))
            try await fixture.post("clover meadow, clover meadow", at: now.advanced(by: .seconds(-9)))
            try await fixture.post("a clover meadow", at: now.advanced(by: .seconds(-6)))
            let page = try await fixture.search("clover meadow")
            #expect(
                page.items.map(\.content) == [
                    "clover meadow, clover meadow", "a clover meadow", "a clover meadow", far,
                ])
            #expect(page.items.map(\.score) == page.items.map(\.score).sorted(by: >))
            #expect(page.items[1].createdAt > page.items[2].createdAt)
        }
    }

    @Test("a hit has the post's author, time, score and highlight")
    @Loop func hit() async throws {
        try await SearchFixture.with { fixture in
            let post = try await fixture.post("Silflay at dusk")
            let hit = try #require(try await fixture.search("silflay").items.first)
            #expect(hit.id == post.id)
            #expect(hit.author == post.author)
            #expect(hit.content == post.content)
            #expect(hit.createdAt == post.createdAt)
            #expect(hit.score > 0)
            #expect(hit.highlight == "<mark>Silflay</mark> at dusk")
        }
    }

    @Test(
        "a word matches the words that begin with it",
        arguments: ["bur", "burr", "burrowi", "clov burr"])
    @Loop func beginnings(query: String) async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("burrowing under clover")
            #expect(try await fixture.found(query) == ["burrowing under clover"])
            let highlight = try await fixture.search(query).items.first?.highlight
            #expect(highlight?.contains("<mark>burrowing</mark>") == true)
        }
    }

    @Test("a prefix matches a word even if the word's stem does not begin with the prefix")
    @Loop func beginningsOfStems() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("happiness is a warm burrow")
            #expect(try await fixture.found("happine").count == 1)
        }
    }

    @Test("posts with the word itself come first, and a quoted word and a word of two letters are not expanded")
    @Loop func exactWordsFirst() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("cat")
            try await fixture.post("category")
            #expect(try await fixture.found("cat") == ["cat", "category"])
            #expect(try await fixture.found("\"cat\"") == ["cat"])
            #expect(try await fixture.found("ca").isEmpty)
            #expect(try await fixture.found("\"categ\"").isEmpty, "a quoted word is not expanded")
        }
    }

    @Test(
        "a word with an inserted, missing, wrong or swapped letter matches the intended word",
        arguments: ["rabit", "rabbbit", "rabbyt", "rabibt", "Rabit hole", "hole -fox rabit"])
    @Loop func typingErrors(query: String) async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("down the rabbit hole")
            try await fixture.post("a robot")
            try await fixture.post("mint and thyme")
            #expect(try await fixture.found(query) == ["down the rabbit hole"])
            let highlight = try await fixture.search(query).items.first?.highlight
            #expect(highlight?.contains("<mark>rabbit</mark>") == true, "the intended word is highlighted")
        }
    }

    @Test("a short word with two swapped letters matches the intended word")
    @Loop func swapped() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("hello world")
            #expect(try await fixture.found("wrold") == ["hello world"])
        }
    }

    @Test("hits of a mistyped word are ranked and counted like other hits")
    @Loop func typingErrorsAreRanked() async throws {
        try await SearchFixture.with { fixture in
            for number in 0..<7 { try await fixture.post("rabbit number \(number)") }
            try await fixture.post("rabbit rabbit rabbit")
            let page = try await fixture.search("rabit", limit: 3, page: 1)
            #expect(page.items.first?.content == "rabbit rabbit rabbit")
            #expect(page.number == .init(page: 1, total: 8))
            let past = try await fixture.search("rabit", limit: 3, page: 9)
            #expect(past.items.isEmpty)
            #expect(past.number == .init(page: 9, total: 8))
        }
    }

    @Test("a word that no post has and that resembles no other word matches no post")
    @Loop func unlike() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("rabbit")
            #expect(try await fixture.found("xylophone").isEmpty)
            #expect(try await fixture.found("rabbit xylophone").isEmpty)
        }
    }

    @Test("words of deleted posts match no post, and do not prevent matches with other words")
    @Loop func wordsOfDeletedPosts() async throws {
        try await SearchFixture.with { fixture in
            let deleted = try await fixture.post("burow burowing")
            try await fixture.post("a deep burrow")
            try await fixture.delete(deleted)
            for query in ["burow", "burowi", "burrows"] {
                #expect(try await fixture.found(query) == ["a deep burrow"], "\(query)")
            }
            let page = try await fixture.search("burowin hutch")
            #expect(page.items.isEmpty)
            #expect(page.number?.total == 0)
        }
    }

    @Test("the shorter of two posts with the same matches comes first, even if it is older")
    @Loop func length() async throws {
        try await SearchFixture.with { fixture in
            let now = Timestamp.now()
            let long = "clover meadow " + Array(repeating: "grass", count: 60).joined(separator: " ")
            try await fixture.post(long, at: now)
            try await fixture.post("clover meadow", at: now.advanced(by: .seconds(-60)))
            #expect(try await fixture.found("clover meadow") == ["clover meadow", long])
        }
    }

    @Test("a search ignores its words after the 16th")
    @Loop func terms() async throws {
        try await SearchFixture.with { fixture in
            let words = (0..<16).map { "burrow\(Character(UnicodeScalar(UInt8(ascii: "a") + UInt8($0))))" }
            let content = words.joined(separator: " ")
            try await fixture.post(content)
            #expect(try await fixture.found(content + " xylophone") == [content])
            #expect(try await fixture.found(words.dropLast().joined(separator: " ") + " xylophone").isEmpty)
        }
    }
}
