/// What a search asks for: alternatives, each of terms that have to be there or must not.
struct SearchExpression: Sendable {
    /// A word, or words that follow one another.
    struct Term: Sendable {
        let words: [WordScanner.Word]
        let isQuoted: Bool
        let isExcluded: Bool

        /// The word by itself, where the term is one that may be mistyped.
        var plainWord: String? {
            guard !isQuoted, !isExcluded, words.count == 1, let word = words.first, word.isWorthKnowing else {
                return nil
            }
            return word.text
        }
    }

    /// The most terms that count; those after them are passed over.
    static let termLimit = 16

    /// One of them has to hold. Each has a term that is not excluded: what has only exclusions finds nothing.
    let alternatives: [[Term]]

    /// Reads a search as it was typed. Any text is one.
    ///
    /// What stands in quotes, to the next one or to the end, is a phrase; `-` before a word or a phrase excludes it; `or`
    /// by itself, in any case, separates alternatives. What has no word in it says nothing.
    init(_ text: String) {
        var alternatives: [[Term]] = []
        var current: [Term] = []
        func end() {
            if current.contains(where: { !$0.isExcluded }) { alternatives.append(current) }
            current = []
        }
        var scanner = TermScanner(text)
        var count = 0
        while count < Self.termLimit, let term = scanner.next() {
            if !term.isQuoted, !term.isExcluded, term.words.count == 1, term.words.first?.text == "or" {
                end()
            } else {
                current.append(term)
                count += 1
            }
        }
        end()
        self.alternatives = alternatives
    }

    /// The words that may be mistyped, each once.
    var plainWords: [WordScanner.Word] {
        var known: Set<String> = []
        return alternatives.joined().filter { $0.plainWord.map { known.insert($0).inserted } ?? false }
            .compactMap(\.words.first)
    }
}

/// Cuts a search into its terms.
private struct TermScanner {
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
            while position < scalars.count, scalars[position] == "-" {
                isExcluded = true
                position += 1
            }
            let isQuoted = position < scalars.count && Self.isQuote(scalars[position])
            if isQuoted { position += 1 }
            let text = take { isQuoted ? Self.isQuote($0) : Self.isQuote($0) || $0.properties.isWhitespace }
            if isQuoted { position += 1 }
            let words = WordScanner.words(of: text)
            if !words.isEmpty {
                return SearchExpression.Term(words: words, isQuoted: isQuoted, isExcluded: isExcluded)
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

    /// Those that keyboards put in the place of plain ones too.
    private static func isQuote(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "\u{201C}", "\u{201D}", "\u{201E}": true
        default: false
        }
    }
}
