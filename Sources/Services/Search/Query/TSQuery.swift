internal import Reactor

/// A search as a PostgreSQL `tsquery`. Its text consists of operators and quoted lexemes.
struct TSQuery: Sendable, Hashable {
    let text: String
    /// The lexemes that are highlighted in the hits.
    let highlighted: Set<String>
    /// For each alternative, the terms that a post must have. A post must have one lexeme of each term. Each word of a
    /// phrase is a term here. A term without lexemes is a prefix search.
    let required: [[[String]]]
    /// The lexemes of the alternatives that consist of one word. Every post with such a lexeme matches.
    let singleLexemes: [String]

    /// Makes the query of an expression. The entries of the expression's texts must be loaded.
    ///
    /// Returns `nil` if no alternative has a word that must be present.
    ///
    /// - Parameter expansions: for each word to expand, the lexemes that match besides its own.
    @Loop init?(_ expression: SearchExpression, _ entries: Lexicon.Entries, expansions: [String: [String]] = [:]) {
        var (alternatives, highlighted): ([String], Set<String>) = ([], [])
        var required: [[[String]]] = []
        var singleLexemes: [String] = []
        for terms in expression.alternatives {
            let parts = Self.parts(terms, entries, expansions)
            // A query that has only exclusions would scan the whole table.
            guard parts.contains(where: { !$0.required.isEmpty }) else { continue }
            alternatives.append("(\(parts.map(\.text).joined(separator: " & ")))")
            required.append(parts.flatMap(\.required))
            for part in parts { highlighted.formUnion(part.highlighted) }
            if parts.count == 1, parts[0].required.count == 1, parts[0].required[0].count == 1 {
                singleLexemes.append(parts[0].required[0][0])
            }
        }
        guard !alternatives.isEmpty else { return nil }
        text = alternatives.joined(separator: " | ")
        self.highlighted = highlighted
        self.required = required
        self.singleLexemes = singleLexemes
    }

    /// Makes the query that matches all posts with a lexeme.
    init(lexeme: String) {
        text = Self.quoted(lexeme)
        highlighted = []
        required = [[[lexeme]]]
        singleLexemes = [lexeme]
    }

    /// Returns this query without the hits of another query.
    func excluding(_ other: TSQuery) -> TSQuery {
        TSQuery(
            text: "(\(text)) & !(\(other.text))", highlighted: highlighted, required: required, singleLexemes: [])
    }

    private init(text: String, highlighted: Set<String>, required: [[[String]]], singleLexemes: [String]) {
        self.text = text
        self.highlighted = highlighted
        self.required = required
        self.singleLexemes = singleLexemes
    }

    /// Returns the parts of an alternative. Stop words count only if it has no other words that must be present.
    @Loop private static func parts(
        _ terms: [SearchExpression.Term], _ entries: Lexicon.Entries, _ expansions: [String: [String]]
    ) -> [TSQueryPart] {
        let parts = terms.compactMap { term in
            TSQueryPart(term, entries, expansions: term.expandableWord.flatMap { expansions[$0] } ?? [])
        }
        let hasOthers = parts.contains { !$0.isExcluded && !$0.isStopWord }
        return parts.filter { !hasOthers || $0.isExcluded || !$0.isStopWord }
    }

    /// Returns a lexeme in the syntax of `tsquery` and `tsvector`.
    static func quoted(_ lexeme: String) -> String {
        func isSpecial(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\\") }
        guard lexeme.utf8.contains(where: isSpecial) else { return "'\(lexeme)'" }
        // The bytes, not the characters, because a mark can follow an apostrophe.
        let bytes = lexeme.utf8.flatMap { isSpecial($0) ? [$0, $0] : [$0] }
        return "'\(String(decoding: bytes, as: UTF8.self))'"
    }
}
