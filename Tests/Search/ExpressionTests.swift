import DatabaseSupport
import Postgres
import Reactor
import Testing

@testable import SearchService

@Suite("Search expressions") struct ExpressionTests {
    /// Returns the terms of each alternative: a phrase is in brackets, and an excluded term begins with `-`.
    private func parsed(_ text: String) -> [[String]] {
        SearchExpression(text).alternatives.map { terms in
            terms.map { term in
                let text = term.words.map(\.text).joined(separator: " ")
                return (term.isExcluded ? "-" : "") + (term.isQuoted ? "[\(text)]" : text)
            }
        }
    }

    @Test("a search is parsed into words, phrases, exclusions and alternatives")
    func parts() {
        #expect(parsed("white rabbit") == [["white", "rabbit"]])
        #expect(parsed("\"white rabbit\" -fox") == [["[white rabbit]", "-fox"]])
        #expect(parsed("a b or c OR -d e") == [["a", "b"], ["c"], ["-d", "e"]])
        #expect(parsed("say\"white rabbit\"now") == [["say", "[white rabbit]", "now"]])
        #expect(parsed("a --b -\"c d\"") == [["a", "-b", "-[c d]"]])
        #expect(parsed("well-known don't") == [["well known", "don t"]])
        #expect(parsed("\"or\" x or y") == [["[or]", "x"], ["y"]])
        #expect(parsed("“typed so” „and so”") == [["[typed so]", "[and so]"]])
    }

    @Test(
        "a search without words, or with exclusions only, has no alternatives",
        arguments: ["", " ", "-", "\"", "\"\" -", "or", "\u{200B} !!", "-x", "-x or -y"])
    func noAlternatives(text: String) {
        #expect(SearchExpression(text).alternatives.isEmpty)
    }

    @Test("search terms after the 16th are ignored")
    func limit() {
        let terms = SearchExpression(String(repeating: "a ", count: 100)).alternatives.joined()
        #expect(terms.count == SearchExpression.termLimit)
    }

    @Test("only vocabulary words that are neither quoted nor excluded are expandable")
    func plain() {
        let words = SearchExpression("Burr burr \"burrow\" -hole well-known ab 123 clover!").expandableWords
        #expect(words.map(\.text) == ["burr", "clover"])
    }

    @Test("a tsquery contains only quoted stems and operators, and no other part of the search")
    @Loop func textQuery() async throws {
        try await SearchFixture.with { fixture async throws in
            let lexicon = Lexicon(database: fixture.database)
            @Loop func text(_ query: String, _ expansions: [String: [String]] = [:]) async throws -> String? {
                let entries = try await lexicon.load([query])
                return TSQuery(SearchExpression(query), entries, expansions: expansions)?.text
            }
            #expect(
                try await text(#"it's \ rabbits\b -x"y':*" or z)"#)
                    == "(('rabbit' <1> 'b') & !('x') & ('y')) | (('z'))")
            #expect(
                try await text("\"ring of the lords\" -the") == "(('ring' <1> 'of' <1> 'the' <1> 'lord') & !('the'))")
            #expect(try await text("the -fox or of") == "(('the') & !('fox')) | (('of'))")
            #expect(try await text("the") == "(('the'))")
            #expect(try await text("Crème") == "((('creme' | 'crème')))")
            #expect(try await text("x -crème -.NET") == "(('x') & !('crème') & !('.net'))")
            #expect(try await text("e-mail -C++") == "((('e' <1> 'mail') | ('email')) & !('c++'))")
            #expect(
                try await text("x-c++ -x-c++")
                    == "((('x' <1> 'c') | (('xc' | 'xc++'))) & !('xc++'))")
            #expect(try await text("x -#C++ -#x-c++") == "(('x') & !('#c' <0> 'c++') & !('#xc' <0> 'xc++'))")
            #expect(try await text("#swift or #猫") == "((('swift' | '#swift'))) | ((('猫':* | '#猫')))")
            #expect(try await text("\"东京塔 x\"") == "(('东京' <1> '京塔' <2> 'x'))")
            #expect(
                try await text("\"x #东京塔 x\" -\"#东京塔 x\"")
                    == "((('x' <1> '东京' <1> '京塔' <2> 'x') | ('x' <1> '#东京塔' <3> 'x'))"
                    + " & !('#东京塔' <3> 'x'))")
            #expect(
                try await text("burr -burr \"burr\"", ["burr": ["burrow"]])
                    == "((('burr' | 'burrow')) & !('burr') & ('burr'))")
        }
    }

    @Test("a tsvector has the lexemes of each word, and one spelling has the weight A")
    @Loop func vector() async throws {
        try await SearchFixture.with { fixture in
            let lexicon = Lexicon(database: fixture.database)
            for (text, vector) in [
                ("The rabbits were running", "'rabbit':2 'run':4 'the':1 'were':3"), ("", ""),
                ("Crème", "'crème':1A 'creme':1"), ("e-mail", "'e':1 'email':1,2 'mail':2"),
                ("x-c++", "'c':2 'c++':2A 'x':1 'xc':1,2 'xc++':1A"),
                ("b2b", "'2':1 'b':1 'b2b':1"), ("C++", "'c':1 'c++':1A"), ("东京塔", "'东京':1 '京塔':2 '塔':3"),
                ("#SwiftLang", "'#swiftlang':1A 'lang':1 'swift':1 'swiftlang':1"), ("❤️", "'❤':1"),
                ("#东京2020", "'#东京2020':1A '2020':3 '东京':1 '京':2"),
                ("#X手机", "'#x手机':1A 'x':1 '手机':2 '机':3"),
                ("1️⃣", "'1':1 '1\u{20E3}':1A"), ("a .NET", "'.net':2A 'a':1 'net':2"), ("½", "'1':1 '2':2"),
            ] {
                let row = try #require(
                    try await fixture.database.query(
                        Statement("SELECT $1::tsvector = $2::tsvector, $1::tsvector::text"),
                        lexicon.analyze([text]).vectors[0], vector
                    ).first)
                let (isSame, stored) = try row.decode((Bool, String).self)
                #expect(isSame, "\(text): \(stored)")
            }
        }
    }

    @Test("stems that are no longer in the cache are loaded again")
    @Loop func forgetting() async throws {
        try await SearchFixture.with { fixture in
            let lexicon = Lexicon(database: fixture.database, limit: 2)
            let texts = [
                ("rabbits dig burrows", ["rabbit", "dig", "burrow"]), ("foxes dig dens", ["fox", "dig", "den"]),
                ("rabbits", ["rabbit"]),
            ]
            for (text, stems) in texts {
                let entries = try await lexicon.load([text])
                #expect(Tokenizer.words(of: text).flatMap { entries[$0.bytes]?.stems ?? [] } == stems)
                #expect(lexicon.count == stems.count, "the cache has no older words")
            }
        }
    }

    @Test("the edit distance counts an inserted, deleted, replaced or swapped letter as one error")
    func errors() {
        for (word, count) in [
            ("rabbit", 0), ("rabit", 1), ("rabbbit", 1), ("rabbyt", 1), ("rabibt", 1), ("rbbit", 1), ("robot", 3),
            ("", 6),
        ] { #expect(EditDistance.between("rabbit", word) == count, "\(word)") }
        #expect(EditDistance.transpositions(of: "wrold").contains("world"))
        #expect(EditDistance.transpositions(of: "aab") == ["aba"])
    }

    @Test("the fuzzy matches with the fewest typing errors come first")
    func nearest() {
        let candidates = WordExpansions.Candidates(similarWords: ["rabbits", "rabbit", "rabbi"])
        #expect(candidates.fuzzyMatches(for: "rabit").first?.word == "rabbit")
        #expect(candidates.fuzzyMatches(for: "rabbitt").map(\.word) == ["rabbits", "rabbit", "rabbi"])
        #expect(WordExpansions.Candidates(similarWords: ["category"]).fuzzyMatches(for: "dog").isEmpty)
    }

    @Test("a fuzzy match has at most one typing error per three letters")
    func fuzzyLimit() {
        let candidates = WordExpansions.Candidates(similarWords: ["rabbit"])
        #expect(candidates.fuzzyMatches(for: "robbot").map(\.errors) == [2])
        #expect(candidates.fuzzyMatches(for: "robott").isEmpty)
    }
}
