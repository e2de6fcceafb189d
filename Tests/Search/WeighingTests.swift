import Contracts
import Reactor
import Testing

@testable import SearchService

@Suite("How a search's words are weighed and marked") struct WeighingTests {
    @Test("the shorter of two posts with the same words side by side comes first, even where it is older")
    @Loop func length() async throws {
        try await SearchFixture.with { fixture in
            let now = Timestamp.now()
            let long = "clover meadow " + Array(repeating: "grass", count: 60).joined(separator: " ")
            try await fixture.post(long, at: now)
            try await fixture.post("clover meadow", at: now.advanced(by: .seconds(-60)))
            #expect(try await fixture.found("clover meadow") == ["clover meadow", long])
        }
    }

    @Test("the first 16 words count, what follows them says nothing")
    @Loop func terms() async throws {
        try await SearchFixture.with { fixture in
            let words = (0..<16).map { "burrow\(Character(UnicodeScalar(UInt8(ascii: "a") + UInt8($0))))" }
            let content = words.joined(separator: " ")
            try await fixture.post(content)
            #expect(try await fixture.found(content + " xylophone") == [content])
            #expect(try await fixture.found(words.dropLast().joined(separator: " ") + " xylophone").isEmpty)
        }
    }

    @Test("a word is marked in the form that the post has it in")
    @Loop func forms() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("Rabbits were digging")
            let highlight = try await fixture.search("rabbit dig").items.first?.highlight
            #expect(highlight == "<mark>Rabbits</mark> were <mark>digging</mark>")
        }
    }

    @Test("what is excluded is not marked where another alternative finds the post")
    @Loop func excluded() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("clover and fox")
            let highlight = try await fixture.search("rabbit -fox or clover").items.first?.highlight
            #expect(highlight == "<mark>clover</mark> and fox")
        }
    }

    @Test("a word is taken for another with one typing error for every three letters, and for none with more")
    func errors() {
        let guess = WordExpansions.Candidates(similarWords: ["rabbit"])
        #expect(guess.fuzzyMatches(for: "robbot").map(\.errors) == [2])
        #expect(guess.fuzzyMatches(for: "robott").isEmpty)
    }

    @Test("a post teaches the vocabulary 200 words and no more")
    @Loop func vocabulary() {
        let words = (0..<300).map { "w\($0)x" }.joined(separator: " ")
        #expect(VocabularyCache().newWords(in: [words]).count == 200)
    }
}
