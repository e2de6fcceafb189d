/// The edit distance of two words: the number of typing errors that turn one word into the other.
enum EditDistance {
    /// Returns the smallest number of errors that turn one word into the other. An error is an inserted, deleted
    /// or replaced letter, or two swapped neighbors (the optimal string alignment variant of the
    /// Damerau-Levenshtein distance).
    static func between(_ first: String, _ second: String) -> Int {
        let (first, second) = (Array(first.unicodeScalars), Array(second.unicodeScalars))
        guard !first.isEmpty, !second.isEmpty else { return max(first.count, second.count) }
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for row in 1...first.count {
            var current = [row]
            for column in 1...second.count {
                let isSame = first[row - 1] == second[column - 1]
                var errors = min(
                    last[column] + 1, current[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1))
                if row > 1, column > 1, first[row - 1] == second[column - 2], first[row - 2] == second[column - 1] {
                    errors = min(errors, beforeLast[column - 2] + 1)
                }
                current.append(errors)
            }
            (beforeLast, last) = (last, current)
        }
        return last[second.count]
    }

    /// Returns the words that result from swapping two different, adjacent letters of a word.
    ///
    /// The vocabulary is searched for these words separately, because a swap changes most trigrams of a short word,
    /// so that a search by trigrams does not find the intended word.
    static func transpositions(of word: String) -> [String] {
        let scalars = Array(word.unicodeScalars)
        return scalars.indices.dropLast().compactMap { index in
            guard scalars[index] != scalars[index + 1] else { return nil }
            var swapped = scalars
            swapped.swapAt(index, index + 1)
            var text = ""
            text.unicodeScalars.append(contentsOf: swapped)
            return text
        }
    }
}
