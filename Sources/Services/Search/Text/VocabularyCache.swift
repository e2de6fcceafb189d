internal import Reactor

/// Caches which words the table `vocabulary` has, so that a post with known words neither reads nor writes the
/// table.
///
/// It stores the words themselves. With hashes, anyone could keep a word out of the table by posting another word with
/// the same hash first.
@Loop final class VocabularyCache {
    /// The maximum number of new words that one post adds, so that posts of random text do not fill the table.
    static let newWordLimit = 200

    private var words: Set<[UInt8]> = []
    private let limit: Int
    private let lifetime: Duration
    private var expiresAt: ContinuousClock.Instant

    /// Makes an empty cache.
    ///
    /// - Parameters:
    ///   - limit: the number of words after which the cache is emptied.
    ///   - lifetime: the time after which the cache is emptied, because an operator may have emptied the table.
    init(limit: Int = 100_000, lifetime: Duration = .seconds(3600)) {
        self.limit = limit
        self.lifetime = lifetime
        expiresAt = .now + lifetime
    }

    /// Returns the words of some texts that the table may lack, each once.
    func newWords(in texts: [String]) -> [String] {
        if .now > expiresAt || words.count > limit {
            words.removeAll(keepingCapacity: true)
            expiresAt = .now + lifetime
        }
        var newWords: Set<String> = []
        for text in texts {
            var count = 0
            Tokenizer.forEachWord(in: text) { word in
                guard word.isVocabularyWord, count < Self.newWordLimit, !words.contains(word.bytes) else { return }
                if newWords.insert(word.text).inserted { count += 1 }
            }
        }
        return Array(newWords)
    }

    /// Records that the table has some words. Call it after their insertion has committed.
    func insert(_ words: [String]) {
        for word in words { self.words.insert(Array(word.utf8)) }
    }
}
