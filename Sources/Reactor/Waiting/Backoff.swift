/// Delays between attempts: exponential with jitter.
///
/// The n-th delay is chosen at random from the upper half of `min(first × 2ⁿ⁻¹, longest)`. The jitter spreads the
/// clients of a server that comes back, and the lower bound keeps every pause long enough to be one.
///
/// With `Backoff(.milliseconds(100) ... .seconds(5))`:
///
/// | attempt | shortest delay | longest delay |
/// |---|---|---|
/// | 1 | 50 ms | 100 ms |
/// | 2 | 100 ms | 200 ms |
/// | 3 | 200 ms | 400 ms |
/// | 4 | 400 ms | 800 ms |
/// | 5 | 800 ms | 1.6 s |
/// | 6 | 1.6 s | 3.2 s |
/// | 7 and later | 2.5 s | 5 s |
package struct Backoff: Sendable {
    private let range: ClosedRange<Duration>
    private var ceiling: Duration

    /// Makes a backoff.
    ///
    /// - Parameter range: the longest first delay, and the longest delay of all.
    package init(_ range: ClosedRange<Duration>) {
        self.range = range
        ceiling = range.lowerBound
    }

    /// Whether the next delay is the first one: none was taken since the start or the last ``reset()``.
    package var isReset: Bool { ceiling == range.lowerBound }

    /// Returns the next delay.
    ///
    /// - Parameter jitter: a number from 0 to 1, by default a random one; 0 gives the shortest delay, 1 the longest.
    package mutating func next(jitter: Double = .random(in: 0...1)) -> Duration {
        defer { ceiling = min(ceiling * 2, range.upperBound) }
        return ceiling * (0.5 + jitter / 2)
    }

    /// Starts again with the first delay, after an attempt that succeeded.
    package mutating func reset() {
        ceiling = range.lowerBound
    }
}
