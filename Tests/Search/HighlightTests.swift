import Contracts
import DatabaseSupport
import Foundation
import Reactor
import Testing

@testable import SearchService

@Suite("Highlights") struct HighlightTests {
    @Test(
        "a post cannot inject an element, an attribute or a mark into its highlight",
        arguments: [
            "clover <script>alert(1)</script>", "<img src=x onerror=alert(1)> clover", "clover\" onmouseover=\"x",
            "clover' style='x", "</mark><mark>clover", "\u{E000}clover\u{E001}", "\u{E001}\u{E000}\u{E000} clover",
            "&lt;clover&gt; &amp; &#x3c;", "<clover", "clover>", "<a href='javascript:clover'>clover</a>",
            "clover \u{202E}desrever\u{202C} \u{200B}", "clover <!-- --> <![CDATA[ ]]>", "clover \\E000 {{7*7}} ${x}",
        ])
    @Loop func hostile(content: String) async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post(content)
            let hit = try #require(try await fixture.search("clover").items.first)
            #expect(hit.content == content, "the content is unchanged")
            let inner = hit.highlight.replacing("<mark>", with: "\u{1}").replacing("</mark>", with: "\u{2}")
            #expect(!inner.contains { "<>\"'".contains($0) }, "\(hit.highlight)")
            let marks = inner.unicodeScalars.filter { $0.value < 3 }.map(\.value)
            #expect(marks == Array(repeating: [1, 2], count: marks.count / 2).flatMap(\.self), "\(hit.highlight)")
            #expect(hit.highlight.contains("<mark>clover</mark>"), "\(hit.highlight)")
        }
    }

    /// Returns the highlight of a text for a search for `clover`.
    private func html(_ text: String) -> String {
        let words = Tokenizer.words(of: text)
        return Highlight.html(text, words, matches: words.map { $0.text == "clover" })
    }

    @Test("every ampersand in a highlight begins an entity")
    func ampersands() {
        let html = html("a & b &amp; <&> \"'clover\u{E000}")
        #expect(html == "a &amp; b &amp;amp; &lt;&amp;&gt; &quot;&#39;<mark>clover</mark>\u{E000}")
    }

    @Test("a highlight shows the fragments with the most matches, which begin and end with whole words")
    func pieces() {
        let filler = Array(repeating: "grass", count: 100).joined(separator: " ")
        let lead = Array(repeating: "grass", count: Highlight.leadingWords).joined(separator: " ")
        #expect(html("") == "")
        #expect(html("(clover)") == "(<mark>clover</mark>)")
        #expect(html(filler + " clover!").hasPrefix("… grass "))
        #expect(html(filler + " clover!").hasSuffix(" grass <mark>clover</mark>!"))
        #expect(html("clover " + filler).hasPrefix("<mark>clover</mark> grass"))
        #expect(html("clover " + filler).hasSuffix(" grass …"))
        let two = html("\(filler) clover \(filler) clover clover \(filler)")
        #expect(two.components(separatedBy: " … ").count == 2)
        #expect(two.hasPrefix("… \(lead) <mark>clover</mark> grass"))
        #expect(two.components(separatedBy: "<mark>").count == 4)
        #expect(html(filler).components(separatedBy: "grass").count == Highlight.wordsInFragment + 1)
    }

    @Test("the highlight of a long post shows two matches that are far apart")
    @Loop func fragments() async throws {
        try await SearchFixture.with { fixture in
            let filler = Array(repeating: "grass", count: 300).joined(separator: " ")
            try await fixture.post("\(filler) clover \(filler) thistle \(filler)")
            let highlight = try #require(try await fixture.search("clover thistle").items.first?.highlight)
            #expect(highlight.contains("<mark>clover</mark>"))
            #expect(highlight.contains("<mark>thistle</mark>"))
            #expect(highlight.count < 1000)
        }
    }

    @Test("a highlight also marks other forms of a searched word, as they stand in the post")
    @Loop func forms() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("Rabbits were digging")
            let highlight = try await fixture.search("rabbit dig").items.first?.highlight
            #expect(highlight == "<mark>Rabbits</mark> were <mark>digging</mark>")
        }
    }

    @Test("a highlight does not mark excluded words")
    @Loop func excluded() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("clover and fox")
            let highlight = try await fixture.search("rabbit -fox or clover").items.first?.highlight
            #expect(highlight == "<mark>clover</mark> and fox")
        }
    }
}
