/// The parts of the index that a search reads one after the other, from the newest posts to the oldest. Together they
/// contain all posts.
struct IndexParts: Sendable, Hashable {
    /// The time buckets of all parts, part by part.
    let buckets: [Int64]
    /// For each part, the number of elements of ``buckets`` up to the end of the part.
    let ends: [Int64]

    /// Makes parts from the times that separate them.
    ///
    /// - Parameters:
    ///   - boundaries: times in seconds since 1970, in descending order. They are moved to the beginning of a bucket.
    ///   - now: the current time in seconds since 1970. The first part ends years after it.
    init(boundaries: [Int64], now: Int64) {
        var (buckets, ends): ([Int64], [Int64]) = ([], [])
        let newest = now / TimeBuckets.unit
        var end = TimeBuckets.alignedUp(newest)
        func addPart(from start: Int64) {
            buckets += TimeBuckets.cover(start..<end)
            ends.append(Int64(buckets.count))
            end = start
        }
        for boundary in boundaries where boundary > 0 {
            let start = TimeBuckets.alignedDown(boundary / TimeBuckets.unit, before: min(end, newest))
            if start > 0, start < end { addPart(from: start) }
        }
        addPart(from: 0)
        self.buckets = buckets
        self.ends = ends
    }

    /// Returns one part that contains all posts.
    ///
    /// - Parameter now: the current time in seconds since 1970.
    static func whole(now: Int64) -> IndexParts {
        IndexParts(boundaries: [], now: now)
    }
}
