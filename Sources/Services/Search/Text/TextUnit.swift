/// How the words of a text belong together.
enum TextUnit {
    /// One word that is not connected to others.
    case word
    /// Words that connectors join, such as `e-mail`.
    case compound
    /// Neighbouring characters of a script without spaces.
    case unspaced
    /// An emoji or another symbol.
    case symbol

    /// Connected words are a compound only if they are so few. Others, such as long host names, are single words.
    private static let compoundParts = 2...4

    /// Calls a function with each unit of some words, in order.
    static func forEachUnit(in words: [Tokenizer.Word], _ body: (TextUnit, Range<Int>) -> Void) {
        var start = 0
        while start < words.count {
            var end = start + 1
            switch words[start].kind {
            case .symbol:
                body(.symbol, start..<end)
            case .unspaced:
                while end < words.count, words[end].kind == .unspaced, words[end].joint == .direct { end += 1 }
                body(.unspaced, start..<end)
            case .word:
                while end < words.count, words[end].kind == .word, words[end].joint == .connector { end += 1 }
                if compoundParts.contains(end - start) {
                    body(.compound, start..<end)
                } else {
                    for index in start..<end { body(.word, index..<index + 1) }
                }
            }
            start = end
        }
    }
}
