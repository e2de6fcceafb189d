/// The parts of the index that a search reads one after the other, from the newest posts to the oldest. Together they
/// contain all posts.
struct IndexParts: Sendable, Hashable {
    /// The times that bound the parts, in units of ``TimeBuckets``, in descending order. The first one is years in the
    /// future, the last one is 0.
    private let bounds: [Int64]

    /// Makes parts from the times that separate them.
    ///
    /// - Parameters:
    ///   - boundaries: times in seconds since 1970, in descending order. They are moved to the beginning of a bucket.
    ///   - now: the current time in seconds since 1970.
    init(boundaries: [Int64], now: Int64) {
        let newest = now / TimeBuckets.unit
        var bounds = [TimeBuckets.alignedUp(newest)]
        for boundary in boundaries where boundary > 0 {
            let end = min(bounds[bounds.count - 1], newest)
            let start = TimeBuckets.alignedDown(boundary / TimeBuckets.unit, before: end)
            if start > 0, start < bounds[bounds.count - 1] { bounds.append(start) }
        }
        self.bounds = bounds + [0]
    }

    private init(bounds: [Int64]) {
        self.bounds = bounds
    }

    /// The number of parts.
    var count: Int { bounds.count - 1 }

    /// The time buckets of all parts, part by part, and for each part, the number of buckets up to its end.
    var cover: (buckets: [Int64], ends: [Int64]) {
        var (buckets, ends): ([Int64], [Int64]) = ([], [])
        for (end, start) in zip(bounds, bounds.dropFirst()) {
            buckets += TimeBuckets.cover(start..<end)
            ends.append(Int64(buckets.count))
        }
        return (buckets, ends)
    }

    /// Returns parts, each of which consists of one or several of these parts.
    ///
    /// - Parameter isLarge: returns whether a part of some of these parts, which are given as the range of their
    ///   indexes, is large enough.
    func merged(isLarge: (Range<Int>) -> Bool) -> IndexParts {
        var merged = [bounds[0]]
        var start = 0
        for index in 0..<count where index == count - 1 || isLarge(start..<index + 1) {
            merged.append(bounds[index + 1])
            start = index + 1
        }
        return IndexParts(bounds: merged)
    }
}
