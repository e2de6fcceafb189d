internal import Reactor

/// A search as PostgreSQL's `tsquery` reads it, and what to mark in its hits. Only stems stand in it: letters, marks, digits.
struct TextQuery: Sendable, Hashable {
    let text: String
    let marks: Marks

    /// What is marked where it is found; of phrases each word.
    struct Marks: Sendable, Hashable {
        var stems: Set<String> = []
        /// Beginnings of stems.
        var beginnings: [String] = []

        func contains(_ stem: String) -> Bool {
            stems.contains(stem) || beginnings.contains { stem.hasPrefix($0) }
        }
    }

    /// Makes the query of an expression, whose words the stems know; nothing where it has no word that says something.
    ///
    /// - Parameter widened: words that are replaced: each by itself as a beginning, and by the stems given.
    @Loop init?(_ expression: SearchExpression, _ stems: Stems, widened: [String: [String]] = [:]) {
        var marks = Marks()
        var alternatives: [String] = []
        for terms in expression.alternatives {
            var parts: [String] = []
            var isPositive = false
            for term in terms {
                guard let part = Self.text(of: term, stems, widened, &marks) else { continue }
                parts.append(term.isExcluded ? "!\(part)" : part)
                if !term.isExcluded { isPositive = true }
            }
            // Exclusions alone would have the whole table walked.
            if isPositive { alternatives.append("(\(parts.joined(separator: " & ")))") }
        }
        guard !alternatives.isEmpty else { return nil }
        text = alternatives.joined(separator: " | ")
        self.marks = marks
    }

    @Loop private static func text(
        of term: SearchExpression.Term, _ stems: Stems, _ widened: [String: [String]], _ marks: inout Marks
    ) -> String? {
        if let word = term.plainWord, let others = widened[word] {
            marks.beginnings.append(word)
            marks.stems.formUnion(others)
            return "(\(([quoted(word) + ":*"] + others.map(quoted)).joined(separator: " | ")))"
        }
        var text = ""
        var distance = 1
        for word in term.words {
            let stem = stems[word]
            if stem.isEmpty {
                distance += 1
                continue
            }
            text += text.isEmpty ? quoted(stem) : " <\(distance)> \(quoted(stem))"
            distance = 1
            if !term.isExcluded { marks.stems.insert(stem) }
        }
        return text.isEmpty ? nil : "(\(text))"
    }

    static func quoted(_ stem: String) -> String { "'\(stem)'" }
}
