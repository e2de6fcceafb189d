/// How far apart two words are in typing.
enum TypingErrors {
    /// The fewest errors that make one word of the other: a letter added, dropped or changed, or two neighbours swapped
    /// (Damerau and Levenshtein's distance, in the variant that edits no place twice).
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

    /// The word with each two neighbours swapped in turn: the error that changes most trigrams of a short word.
    static func swaps(of word: String) -> [String] {
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
