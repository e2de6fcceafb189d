/// A parsed search: alternatives, each of which consists of terms that a post must have or must not have.
struct SearchExpression: Sendable {
    /// A word or a phrase.
    struct Term: Sendable {
        /// The term as it was typed, without quotes and `-`.
        let text: String
        let words: [Tokenizer.Word]
        let isQuoted: Bool
        let isExcluded: Bool

        /// The term's word if the word may be expanded; otherwise `nil`. The term must be neither quoted nor excluded.
        var expandableWord: String? {
            guard !isQuoted, !isExcluded, words.count == 1, let word = words.first, word.isExpandable else {
                return nil
            }
            return word.text
        }
    }

    /// The maximum number of terms in a search. Further terms are ignored.
    static let termLimit = 16

    /// A post matches the search if it matches one of the alternatives. Each alternative has at least one term that
    /// is not excluded.
    let alternatives: [[Term]]

    /// Parses a search. Any text is valid.
    ///
    /// Quotes enclose a phrase. If the closing quote is missing, the phrase ends at the end of the text. A `-` before
    /// a word or phrase excludes it. The word `or`, in any letter case, separates alternatives. Text without words
    /// is ignored.
    init(_ text: String) {
        var alternatives: [[Term]] = []
        var current: [Term] = []
        func endAlternative() {
            if current.contains(where: { !$0.isExcluded }) { alternatives.append(current) }
            current = []
        }
        var parser = TermParser(text)
        var count = 0
        while count < Self.termLimit, let term = parser.next() {
            if !term.isQuoted, !term.isExcluded, term.words.count == 1, term.words.first?.text == "or" {
                endAlternative()
            } else {
                current.append(term)
                count += 1
            }
        }
        endAlternative()
        self.alternatives = alternatives
    }

    /// The texts of all terms.
    var texts: [String] { alternatives.joined().map(\.text) }

    /// The words that may be expanded, each once.
    var expandableWords: [Tokenizer.Word] {
        var seen: Set<String> = []
        return alternatives.joined().filter { $0.expandableWord.map { seen.insert($0).inserted } ?? false }
            .compactMap(\.words.first)
    }
}

/// Splits a search into terms.
private struct TermParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    mutating func next() -> SearchExpression.Term? {
        while position < scalars.count {
            if scalars[position].properties.isWhitespace {
                position += 1
                continue
            }
            var isExcluded = false
            while position < scalars.count, Self.isMinus(scalars[position]) {
                isExcluded = true
                position += 1
            }
            let isQuoted = position < scalars.count && Self.isQuote(scalars[position])
            if isQuoted { position += 1 }
            let text = take { isQuoted ? Self.isQuote($0) : Self.isQuote($0) || $0.properties.isWhitespace }
            if isQuoted { position += 1 }
            let words = Tokenizer.words(of: text)
            if !words.isEmpty {
                return SearchExpression.Term(text: text, words: words, isQuoted: isQuoted, isExcluded: isExcluded)
            }
        }
        return nil
    }

    private mutating func take(until isEnd: (Unicode.Scalar) -> Bool) -> String {
        var text = ""
        while position < scalars.count, !isEnd(scalars[position]) {
            text.unicodeScalars.append(scalars[position])
            position += 1
        }
        return text
    }

    /// Whether a character is a hyphen, a minus sign or an en dash, for which keyboards substitute each other.
    private static func isMinus(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "-", "\u{2010}"..."\u{2013}", "\u{2212}", "\u{FF0D}": true
        default: false
        }
    }

    /// Whether a character is a straight quote, or one of the quotes that other languages and keyboards use.
    private static func isQuote(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "\u{201C}"..."\u{201F}", "\u{AB}", "\u{BB}", "\u{2039}", "\u{203A}", "\u{300C}"..."\u{300F}",
            "\u{FF02}":
            true
        default: false
        }
    }
}
