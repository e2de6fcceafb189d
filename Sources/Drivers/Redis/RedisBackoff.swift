/// The pauses between attempts to connect: doubled each time up to the longest, each shortened by up to a half
/// at random, so that the clients of a server that comes back do not all arrive at once.
struct RedisBackoff {
    private let range: ClosedRange<Duration>
    private var current: Duration

    init(_ range: ClosedRange<Duration>) {
        self.range = range
        current = range.lowerBound
    }

    mutating func next() -> Duration {
        defer { current = min(current * 2, range.upperBound) }
        return current * Double.random(in: 0.5...1)
    }

    mutating func reset() {
        current = range.lowerBound
    }
}
