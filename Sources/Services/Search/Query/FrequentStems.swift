internal import Reactor

/// The stems that more posts had than a search counts, when their posts were last counted.
///
/// A search that matches all posts with such a stem need not count its hits again.
@Loop final class FrequentStems {
    /// After this time, the posts with a stem are counted again, because posts may have been deleted.
    private let lifetime: Duration
    private var countedAt: [String: ContinuousClock.Instant] = [:]

    init(lifetime: Duration = .seconds(30)) {
        self.lifetime = lifetime
    }

    /// Whether more posts had the stem than a search counts when they were last counted, within the lifetime.
    func contains(_ stem: String) -> Bool {
        guard let time = countedAt[stem] else { return false }
        if .now - time < lifetime { return true }
        countedAt[stem] = nil
        return false
    }

    /// Records that more posts have the stem than a search counts.
    func insert(_ stem: String) {
        countedAt[stem] = .now
    }
}
