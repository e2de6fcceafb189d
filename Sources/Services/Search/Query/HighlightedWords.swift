internal import Reactor

/// Finds the words of a post that the lexemes of a search match. The entries of the post must be loaded.
@Loop struct HighlightedWords {
    private let lexemes: Set<String>
    private let entries: Lexicon.Entries

    init(_ lexemes: Set<String>, _ entries: Lexicon.Entries) {
        self.lexemes = lexemes
        self.entries = entries
    }

    /// Returns for each word of a text whether to mark it.
    func matches(_ text: String, _ words: [Tokenizer.Word]) -> [Bool] {
        var matches = [Bool](repeating: false, count: words.count)
        TextUnit.forEachUnit(in: words) { unit, range in
            switch unit {
            case .word, .symbol:
                matches[range.lowerBound] = hasMatch(text, Array(words[range]))
            case .compound:
                let isJoinedMatch = contains(IndexTerm(bytes: IndexTerm.joinedBytes(words[range]), form: .stem))
                for index in range { matches[index] = isJoinedMatch || hasMatch(text, [words[index]]) }
            case .unspaced:
                for index in range {
                    let pair = words[index..<min(index + 2, range.upperBound)]
                    if contains(IndexTerm.pair(pair)) { for index in pair.indices { matches[index] = true } }
                    // A search for one character.
                    if contains(IndexTerm.pair(pair.prefix(1))) { matches[index] = true }
                }
            }
        }
        return matches
    }

    private func hasMatch(_ text: String, _ words: [Tokenizer.Word]) -> Bool {
        var isMatch = false
        IndexTerm.forEachTerm(in: text, words) { isMatch = isMatch || contains($0) }
        return isMatch
    }

    private func contains(_ term: IndexTerm) -> Bool {
        entries.lexemes(of: term).contains { lexemes.contains($0) }
    }
}
