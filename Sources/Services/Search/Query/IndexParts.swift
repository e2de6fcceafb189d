/// The parts of the index that a search reads one after the other, from the newest posts to the oldest. Together they
/// contain all posts.
struct IndexParts: Sendable, Hashable {
    /// The times that bound the parts, in units of ``TimeBuckets``, in descending order. The first one is years in the
    /// future, the last one is 0.
    private let bounds: [Int64]
    /// The expected number of posts in each part.
    private let sizes: [Int64]

    /// Makes parts from the times that separate them.
    ///
    /// - Parameters:
    ///   - boundaries: times in seconds since 1970, in descending order, and for each of them the number of posts
    ///     between it and the time before it. The times are moved to the beginning of a bucket. If two of them are in
    ///     the same bucket, they bound one part.
    ///   - rest: the number of posts before the last time.
    ///   - now: the current time in seconds since 1970.
    init(boundaries: [(time: Int64, posts: Int64)], rest: Int64, now: Int64) {
        let newest = max(now, boundaries.first?.time ?? 0) / TimeBuckets.unit
        var bounds = [TimeBuckets.alignedUp(newest)]
        var sizes: [Int64] = []
        var posts: Int64 = 0
        for boundary in boundaries where boundary.time > 0 {
            posts += boundary.posts
            let end = min(bounds[bounds.count - 1], newest)
            let start = TimeBuckets.alignedDown(boundary.time / TimeBuckets.unit, before: end)
            if start > 0, start < bounds[bounds.count - 1] {
                bounds.append(start)
                sizes.append(posts)
                posts = 0
            }
        }
        self.bounds = bounds + [0]
        self.sizes = sizes + [posts + rest]
    }

    private init(bounds: [Int64], sizes: [Int64]) {
        self.bounds = bounds
        self.sizes = sizes
    }

    /// The number of parts.
    var count: Int { sizes.count }

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
    /// - Parameter isLarge: returns whether a number of posts is enough for a part. The second argument is whether it
    ///   is the first part.
    func merged(isLarge: (_ posts: Int64, _ isFirst: Bool) -> Bool) -> IndexParts {
        var (bounds, sizes) = ([self.bounds[0]], [Int64]())
        var posts: Int64 = 0
        for (index, size) in self.sizes.enumerated() {
            posts += size
            guard index == count - 1 || isLarge(posts, sizes.isEmpty) else { continue }
            bounds.append(self.bounds[index + 1])
            sizes.append(posts)
            posts = 0
        }
        return IndexParts(bounds: bounds, sizes: sizes)
    }
}
