internal import Reactor

/// The words that the vocabulary is known to have, as far as this process remembers them.
///
/// A usual post, whose words are all known, so asks nothing of the table and adds nothing to it. Only the words' hashes
/// are kept; two words of one hash cost a suggestion, no more.
@Loop final class KnownWords {
    /// The most new words that one post teaches: whoever writes chance does not fill the table.
    static let limitPerPost = 200

    private var hashes: Set<UInt64> = []
    private let limit: Int
    private let lifetime: Duration
    private var forgetAt: ContinuousClock.Instant

    /// Makes an empty memory.
    ///
    /// - Parameters:
    ///   - limit: how many words it holds before it forgets them all.
    ///   - lifetime: how long it believes what it knows: someone may have emptied the table meanwhile.
    init(limit: Int = 200_000, lifetime: Duration = .seconds(3600)) {
        self.limit = limit
        self.lifetime = lifetime
        forgetAt = .now + lifetime
    }

    /// The words of some texts that may not be in the vocabulary yet, each once.
    func unknown(in texts: [String]) -> [String] {
        if .now > forgetAt || hashes.count > limit {
            hashes.removeAll(keepingCapacity: true)
            forgetAt = .now + lifetime
        }
        var unknown: Set<String> = []
        for text in texts {
            var count = 0
            WordScanner.forEachWord(in: text) { word in
                guard word.isWorthKnowing, count < Self.limitPerPost, !hashes.contains(word.hash) else { return }
                if unknown.insert(word.text).inserted { count += 1 }
            }
        }
        return Array(unknown)
    }

    /// Takes words for known, once they are in the vocabulary for good.
    func remember(_ words: [String]) {
        for word in words { hashes.insert(WordScanner.Word.hash(word.utf8)) }
    }
}
