/// Delays between attempts: exponential with jitter.
///
/// The n-th delay is a random duration between m/2 and m, where m is `min(lowerBound × 2ⁿ⁻¹, upperBound)` for the
/// bounds of the given range. Because of the random part, the clients of a server that is back do not all connect at
/// the same instant. Because of the minimum m/2, no delay is close to zero.
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
    /// Whether no delay has been taken since the start or the last ``reset()``.
    package private(set) var isReset = true

    /// Makes a backoff.
    ///
    /// - Parameter range: the lower bound is the longest first delay, the upper bound is the longest delay of all.
    package init(_ range: ClosedRange<Duration>) {
        self.range = range
        ceiling = range.lowerBound
    }

    /// Returns the next delay.
    ///
    /// - Parameter jitter: a number from 0 to 1, by default a random number; 0 gives the shortest delay, 1 the longest.
    package mutating func next(jitter: Double = .random(in: 0...1)) -> Duration {
        defer { (ceiling, isReset) = (min(ceiling * 2, range.upperBound), false) }
        return ceiling * (0.5 + jitter / 2)
    }

    /// Starts again with the first delay. Call it after an attempt that succeeded.
    package mutating func reset() {
        (ceiling, isReset) = (range.lowerBound, true)
    }
}
