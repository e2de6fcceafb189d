package import TestData

/// The words of posts and searches. Their frequencies follow Zipf's law, as those of a language do: the word with the
/// rank `r` is chosen with a probability that is proportional to `1 / (r + 3)`. In posts of 20 words, half of all posts
/// have the most frequent word, and one in 4,000 has the rarest.
package struct WordList: Sendable {
    /// The words, the most frequent first. No word is a stop word of English or an operator of the search.
    package let words: [String]
    /// For each word, the sum of its weight and those of all more frequent words.
    private let sums: [Double]

    /// Makes the list. It is always the same.
    package init(count: Int = 10_000) {
        var generator = SeededGenerator(seed: 1)
        var words: [String] = []
        var known: Set<String> = []
        while words.count < count {
            let word = Self.word(using: &generator)
            if known.insert(word).inserted { words.append(word) }
        }
        self.words = words
        var sum = 0.0
        sums = words.indices.map { rank in
            sum += 1 / Double(rank + 4)
            return sum
        }
    }

    /// Returns three or four syllables and a final consonant.
    private static func word(using generator: inout SeededGenerator) -> String {
        let consonants = Array("bdfgklmnprstvz")
        let vowels = Array("aeiou")
        var word = ""
        for _ in 0..<Int.random(in: 3...4, using: &generator) {
            word.append(consonants[Int.random(in: 0..<consonants.count, using: &generator)])
            word.append(vowels[Int.random(in: 0..<vowels.count, using: &generator)])
        }
        word.append(consonants[Int.random(in: 0..<consonants.count, using: &generator)])
        return word
    }

    /// Returns a word, with the probability of its frequency.
    package func word(using generator: inout SeededGenerator) -> String {
        let point = Double.random(in: 0..<(sums.last ?? 1), using: &generator)
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > point { high = middle } else { low = middle + 1 }
        }
        return words[low]
    }

    /// Returns the text of a post: 20 words.
    package func text(using generator: inout SeededGenerator) -> String {
        (0..<20).map { _ in word(using: &generator) }.joined(separator: " ")
    }

    /// Returns a search of two words: `A B` or `A or B`. The ranks of A are the powers of two, so words of every
    /// frequency are equally likely. B is any word.
    package func search(using generator: inout SeededGenerator) -> String {
        let ranks = words.count.bitWidth - words.count.leadingZeroBitCount
        let first = words[(1 << Int.random(in: 0..<ranks, using: &generator)) - 1]
        let second = words[Int.random(in: 0..<words.count, using: &generator)]
        return Bool.random(using: &generator) ? "\(first) \(second)" : "\(first) or \(second)"
    }

    /// Returns searches that all differ.
    package func searches(_ count: Int, using generator: inout SeededGenerator) -> [String] {
        var searches: [String] = []
        var known: Set<String> = []
        while searches.count < min(count, words.count * 4) {
            let search = search(using: &generator)
            if known.insert(search).inserted { searches.append(search) }
        }
        return searches
    }
}
