/// Words of a text that are indexed together.
enum TextUnit {
    /// One word that is not connected to others.
    case word
    /// Words that connectors join, such as `e-mail`.
    case compound
    /// Neighbouring characters of a script without spaces.
    case unspaced
    /// An emoji or another symbol.
    case symbol

    /// The number of parts of a compound. The words of longer chains, such as host names, are indexed one by one.
    private static let compoundParts = 2...4
    /// The words after the apostrophe of a contraction, as in `I'll`. The joined word would be another word, such as
    /// `ill`.
    private static let contractions: Set<[UInt8]> = Set(["d", "m", "ll", "re", "ve"].map { Array($0.utf8) })

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
                while end < words.count, words[end].kind == .word, words[end].isConnected { end += 1 }
                if compoundParts.contains(end - start), !isContraction(words[end - 1]) {
                    body(.compound, start..<end)
                } else {
                    for index in start..<end { body(.word, index..<index + 1) }
                }
            }
            start = end
        }
    }

    /// Returns the words of the hashtag that begins with a word; `nil` if the word begins none. A hashtag ends with a
    /// unit, and can consist of several ones: `#東京2020`, `#iPhone手机壳`.
    static func hashtag(in words: [Tokenizer.Word], from start: Int) -> Range<Int>? {
        guard words[start].isTag else { return nil }
        var end = start + 1
        while end < words.count, words[end].kind != .symbol, words[end].joint != .apart, words[end - 1].suffix.isEmpty {
            end += 1
        }
        return start..<(isContraction(words[end - 1]) ? end - 1 : end)
    }

    private static func isContraction(_ word: Tokenizer.Word) -> Bool {
        word.joint == .apostrophe && contractions.contains(word.bytes)
    }
}

extension Tokenizer.Word {
    /// Whether a connector is between the word and the word before it.
    fileprivate var isConnected: Bool { joint == .connector || joint == .apostrophe }
}
