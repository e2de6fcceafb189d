import Contracts
import Reactor
import TestData
import TestSupport
import Testing
import WorkerKit

@testable import SearchService

@Suite("Hostile searches") struct HostileSearchTests {
    private static let samples = [
        "\"", "\"\"", "\"\"\"", "'", "''", "\\", "\\\\", "\\'", "\"unclosed", "a \"b \" c\"", "-", "--", "- -", "-\"",
        "-\"\"", "or", "or or", "OR -or", "-or", "and", "the", "the of and", "\"the of\"", "&", "|", "!", "!!a",
        "a & b",
        "a | b", "a <-> b", "<2>", "a:*", ":*", "'a':*A", "(", ")", "((((", "a)(b", "a:ABCD", "*", "%", "_", "%%a%%",
        "$1",
        "$$", "'; DROP TABLE documents; --", "\u{E000}\u{E001}", "\u{1}\u{7F}", "\u{FEFF}a", "\u{FFFF}", "\u{10FFFF}",
        "\u{200B}a", "e\u{301}e\u{301}", "שלום", "عليكم السلام", "\u{202E}abc", "日本語 テキスト", "ß ſ İ ı ŉ", "ﬁ ﬂ", "½ ² Ⅷ",
        "ab", "1", "1.5e10", "-1", "1-1", "a@b.c", "http://a.b/c?d=e&f=g#h", "/a/b/c",
        "a_b", "a-b-c-", "C++", "#tag @name", "<script>", "&lt;", "{\"a\": 1}", "a\r\n\tb", "\u{2028}a\u{2029}",
        "a\u{A0}b",
        "can't won't 'tis", "x'y\"z\\w",
    ]

    @Test("searches with quotes, operators, other scripts or foreign syntax get 200, and `or clover` still matches")
    @Loop func samples() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.add(Self.samples.filter { !$0.isEmpty } + ["clover"])
            for sample in Self.samples {
                for query in [sample, "clover \(sample)", "\(sample)clover", "\"\(sample)\"", "-\(sample) clover"] {
                    let reply = try await fixture.ask(query)
                    #expect(reply.status == 200, "\(query.debugDescription)")
                }
                let joined = try await fixture.found("\(sample) or clover")
                #expect(
                    joined.contains("clover") || sample.contains("\"") || sample.hasSuffix("-"),
                    "\(sample.debugDescription)")
            }
        }
    }

    /// Texts whose lexemes would be too long for a `tsvector`, or would have a quote that a mark hides.
    private static let dangerous = [
        "👩" + String(repeating: "\u{200D}👩", count: 300), String(repeating: "\u{FDFA}", count: 66),
        "\u{2BC}\u{93C}", "a\u{2BC}\u{93C}b", "x\u{2BC}\u{3099}y", "\u{2BC}\u{1DC4}\\",
        "🏴" + String(repeating: "\u{E0061}", count: 190),
    ]

    @Test(
        "a post that would break the syntax or the limits of a tsvector is indexed, and so is the search",
        arguments: dangerous)
    @Loop func dangerousText(text: String) async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("clover \(text)")
            #expect(try await fixture.found("clover").count == 1)
            let start = String(String.UnicodeScalarView(text.unicodeScalars.prefix(190)))
            #expect(try await fixture.ask(start).status == 200)
            #expect(try await fixture.found("clover \(start)").count == 1)
        }
    }

    @Test("words of more than 255 bytes are not kept in memory")
    @Loop func longWords() async throws {
        try await SearchFixture.with { fixture in
            let lexicon = Lexicon(database: fixture.database)
            let words = (0..<50).map { String(repeating: "\u{10400}", count: 5_000 - $0) }
            try await lexicon.load(words + ["clover"])
            #expect(lexicon.count == 1)
            #expect(try await lexicon.analyze(words).vectors.allSatisfy { $0.isEmpty })
            #expect(lexicon.count == 1)
        }
    }

    @Test("two words with the same FNV-1a hash are different words, for searches and for typing errors")
    @Loop func collidingWords() async throws {
        try await SearchFixture.with { fixture in
            // Both hashes are 0x8dcc6be340d34658. Anyone can find such a pair in minutes.
            let (first, second) = ("ydmmmoagjvgukg", "ybyebjoishrvpa")
            try await fixture.post(first)
            try await fixture.post(second)
            #expect(try await fixture.found(first) == [first])
            #expect(try await fixture.found(second) == [second])
            for word in [first, second] {
                let mistyped = word.replacing("j", with: "k")
                #expect(try await fixture.found(mistyped) == [word])
            }
        }
    }

    @Test(
        "a search that repeats one text up to 200 characters gets 200 within its deadline",
        arguments: [
            String(repeating: "🐇", count: 200), String(repeating: "a", count: 200), String(repeating: "é", count: 200),
            String(repeating: "a ", count: 100), String(repeating: "a-b/", count: 50),
            String(repeating: "\"", count: 200),
            String(repeating: "-", count: 200),
            String(repeating: "or ", count: 66), String(repeating: "\\'", count: 100),
            String(repeating: "a\u{301}", count: 100),
            String(repeating: "a-", count: 100), String(repeating: "a.", count: 100),
            String(repeating: "-x ", count: 66),
            String(repeating: "clover or ", count: 20), String(repeating: "clo ", count: 50),
            String(repeating: "\u{10FFFF}", count: 200),
        ])
    @Loop func long(query: String) async throws {
        try await SearchFixture.with { fixture in
            try await fixture.add((0..<100).map { "clover \($0) a x é a-b" })
            // The deadline of the query is 5 s.
            #expect(try await fixture.ask(query, limit: 100).status == 200)
        }
    }

    @Test("searches of very long posts with many matches get 200 within their deadline")
    @Loop func expensive() async throws {
        try await SearchFixture.with { fixture in
            let words = (0..<40).map { "w\($0)" }
            var generator = SeededGenerator(seed: 3)
            try await fixture.add(
                (0..<100).map { _ in
                    (0..<1250).map { _ in words.randomElement(using: &generator) ?? "w" }.joined(separator: " ")
                })
            for query in [
                words.joined(separator: " "), words.joined(separator: " or "), "\"w1 w2\" or \"w3 w4\" or \"w5 w6\" w7",
                words.map { "\"\($0) w1\"" }.joined(separator: " or "),
            ] {
                let cut = String(query.prefix(200))
                #expect(try await fixture.ask(cut, limit: 100).status == 200)
            }
        }
    }

    @Test("searches of random special characters and words get 200", arguments: [1, 2, 3, 4] as [UInt64])
    @Loop func generated(seed: UInt64) async throws {
        try await SearchFixture.with { fixture in
            var generator = SeededGenerator(seed: seed)
            try await fixture.add((0..<50).map { _ in Self.query(&generator) } + ["clover"])
            for number in 0..<1500 {
                let query = Self.query(&generator)
                let reply = try await fixture.ask(query, limit: Int.random(in: 1...100, using: &generator), page: 1)
                #expect(reply.status == 200, "\(number): \(query.debugDescription)")
            }
        }
    }

    /// Returns a random text of 1 to 200 characters that consists of special characters and words.
    private static func query(_ generator: inout SeededGenerator) -> String {
        var query = ""
        let length = Int.random(in: 1...12, using: &generator)
        for _ in 0..<length {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: query += samples.randomElement(using: &generator) ?? ""
            case 1: query += ["clover", "clovre", "clo", "the", "running", "x"].randomElement(using: &generator) ?? ""
            case 2: query += [" ", "  ", " or ", " -", " \"", "\" "].randomElement(using: &generator) ?? ""
            case 3:
                let range: ClosedRange<UInt32> =
                    [
                        0x20...0x7E, 0x80...0x2FF, 0x300...0x36F, 0x590...0x6FF, 0x2000...0x206F, 0xE000...0xF8FF,
                        0x1F300...0x1FAFF, 0x1...0x10FFFF,
                    ]
                    .randomElement(using: &generator) ?? 0x20...0x7E
                if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator)) {
                    query.unicodeScalars.append(scalar)
                }
            case 4: query += "'\\:*&|!()<>-\"".randomElement(using: &generator).map(String.init) ?? ""
            default: query += " "
            }
        }
        var cut = ""
        cut.unicodeScalars.append(contentsOf: query.unicodeScalars.prefix(200))
        let isBlank = cut.unicodeScalars.allSatisfy {
            $0.properties.isWhitespace || $0.properties.isDefaultIgnorableCodePoint
        }
        return isBlank ? "x" : cut
    }
}
