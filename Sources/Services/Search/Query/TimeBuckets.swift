/// The time buckets of the search index, as the function `time_buckets` of the database computes them.
///
/// The buckets of the level n (0 to 6) are 16ⁿ⁺¹ seconds long: 16 s, 4 min, 68 min, 18 h, 12 days, 194 days and 8.5
/// years. Times are counted in units of 16 s since 1970.
enum TimeBuckets {
    /// The length of the smallest bucket, in seconds.
    static let unit: Int64 = 16
    private static let levels: Int64 = 7

    /// Returns the fewest buckets that cover a range of times exactly.
    static func cover(_ range: Range<Int64>) -> [Int64] {
        var buckets: [Int64] = []
        var time = range.lowerBound
        while time < range.upperBound {
            var level: Int64 = 0
            while level + 1 < levels, time % length(level + 1) == 0, time + length(level + 1) <= range.upperBound {
                level += 1
            }
            buckets.append((time >> (4 * level)) * 8 + level)
            time += length(level)
        }
        return buckets
    }

    /// Returns the greatest time at or before `time` at which a long bucket begins. The bucket is at most an eighth of
    /// the distance to `end`, so the result differs from `time` by less than that.
    static func alignedDown(_ time: Int64, before end: Int64) -> Int64 {
        var level: Int64 = 0
        while level + 1 < levels, length(level + 1) * 8 <= end - time { level += 1 }
        return time - time % length(level)
    }

    /// Returns a time at which a bucket of the highest level begins, 8 to 17 years after `time`.
    static func alignedUp(_ time: Int64) -> Int64 {
        (time / length(levels - 1) + 2) * length(levels - 1)
    }

    /// The length of a bucket, in units.
    private static func length(_ level: Int64) -> Int64 { 1 << (4 * level) }
}
