internal import Reactor

/// A search as a PostgreSQL `tsquery`, with the stems to highlight in its hits.
///
/// The text consists of operators and quoted words. Words have only letters, marks and digits, so they need no
/// escapes.
struct TSQuery: Sendable, Hashable {
    let text: String
    let highlighted: HighlightedStems
    /// For each alternative, the terms that a post must have. Of each term, a post must have one of the stems; each
    /// stem of a phrase is a term here.
    let required: [[[String]]]
    /// The stems of the alternatives that consist of one word, without exclusions. Every post with such a stem matches.
    let singleStems: [String]

    /// The stems to highlight, including each word of a phrase.
    struct HighlightedStems: Sendable, Hashable {
        fileprivate(set) var stems: Set<String> = []
        fileprivate(set) var prefixes: [String] = []

        func contains(_ stem: String) -> Bool {
            stems.contains(stem) || prefixes.contains { stem.hasPrefix($0) }
        }
    }

    /// Makes the query of an expression. The lexicon must have loaded the expression's words.
    ///
    /// Returns `nil` if no alternative has a stem that must be present.
    ///
    /// - Parameter expansions: for each word to expand, the stems that match in its place.
    @Loop init?(_ expression: SearchExpression, _ lexicon: Lexicon, expansions: [String: [String]] = [:]) {
        var highlighted = HighlightedStems()
        var alternatives: [String] = []
        var required: [[[String]]] = []
        var singleStems: [String] = []
        for terms in expression.alternatives {
            var parts: [String] = []
            var requiredTerms: [[String]] = []
            for term in terms {
                guard let part = Self.text(of: term, lexicon, expansions, &highlighted, &requiredTerms) else {
                    continue
                }
                parts.append(term.isExcluded ? "!\(part)" : part)
            }
            // A query that has only exclusions would scan the whole table.
            guard !requiredTerms.isEmpty else { continue }
            alternatives.append("(\(parts.joined(separator: " & ")))")
            required.append(requiredTerms)
            if parts.count == 1, requiredTerms.count == 1, requiredTerms[0].count == 1 {
                singleStems.append(requiredTerms[0][0])
            }
        }
        guard !alternatives.isEmpty else { return nil }
        text = alternatives.joined(separator: " | ")
        self.highlighted = highlighted
        self.required = required
        self.singleStems = singleStems
    }

    /// Makes the query that matches all posts with a stem.
    init(stem: String) {
        text = Self.quoted(stem)
        highlighted = HighlightedStems()
        required = [[[stem]]]
        singleStems = [stem]
    }

    @Loop private static func text(
        of term: SearchExpression.Term, _ lexicon: Lexicon, _ expansions: [String: [String]],
        _ highlighted: inout HighlightedStems, _ required: inout [[String]]
    ) -> String? {
        if let word = term.expandableWord, let replacements = expansions[word] {
            highlighted.prefixes.append(word)
            highlighted.stems.formUnion(replacements)
            // Without a stem in its place, the word remains, and no post has it.
            let stems = replacements.isEmpty ? [word] : replacements
            required.append(stems)
            return "(\(stems.map(quoted).joined(separator: " | ")))"
        }
        var text = ""
        // The distance to the previous stem of the phrase. Stop words have no stem, but count in the distance.
        var distance = 1
        for word in term.words {
            let stem = lexicon[word]
            if stem.isEmpty {
                distance += 1
                continue
            }
            text += text.isEmpty ? quoted(stem) : " <\(distance)> \(quoted(stem))"
            distance = 1
            guard !term.isExcluded else { continue }
            highlighted.stems.insert(stem)
            required.append([stem])
        }
        return text.isEmpty ? nil : "(\(text))"
    }

    static func quoted(_ stem: String) -> String { "'\(stem)'" }
}
