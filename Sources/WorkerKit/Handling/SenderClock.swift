internal import Contracts

/// Compares this process's clock with the clocks of the senders of messages.
///
/// A message has the time at which it was sent, in whole seconds. It cannot arrive before that time, so an earlier
/// arrival shows that this clock is behind. The broker discards a message when its expiration has passed, so a later
/// arrival shows that this clock is ahead.
struct SenderClock {
    /// A difference is forgotten after one to two times this duration, because a clock may be corrected.
    private static let windowLength: Duration = .seconds(300)
    /// Smaller differences are not reported.
    private static let tolerance: Duration = .seconds(1)
    private static let largestLag: Duration = .seconds(24 * 3600)
    private static let reportInterval: Duration = .seconds(60)

    private var windowStart: ContinuousClock.Instant
    /// How far this clock was behind, at least, in this window and in the window before it.
    private var lags: (current: Duration, previous: Duration) = (.zero, .zero)
    private var nextReport: ContinuousClock.Instant

    init(now: ContinuousClock.Instant = .now) {
        windowStart = now
        nextReport = now
    }

    /// How far this clock is behind the clocks of the senders, at least.
    var lag: Duration { max(lags.current, lags.previous) }

    /// Takes the times of a message.
    ///
    /// - Parameters:
    ///   - sent: when the message was sent, by the sender's clock, rounded down to a second.
    ///   - expiration: how long the broker keeps the message; `nil` without a limit.
    ///   - arrived: when the message arrived, by this clock.
    /// - Returns: the difference of the clocks, positive if this clock is ahead. `nil` if the message shows no
    ///   difference of more than a second, or if a difference was returned within the last minute.
    mutating func difference(
        sent: Timestamp, expiration: Duration?, arrived: Timestamp, now: ContinuousClock.Instant = .now
    ) -> Duration? {
        if now - windowStart > Self.windowLength {
            lags = (.zero, now - windowStart > Self.windowLength * 2 ? .zero : lags.current)
            windowStart = now
        }
        let age = arrived.since(sent)
        // A clock that is off by days is not corrected, because the sender may also have set a wrong timestamp.
        guard age > .zero - Self.largestLag else { return nil }
        lags.current = max(lags.current, .zero - age)
        // The fraction of a second that `sent` lacks counts towards the age.
        let excess = expiration.map { age - $0 - .seconds(1) } ?? .zero
        let difference = age < .zero ? age : max(excess, .zero)
        guard difference > Self.tolerance || difference < .zero - Self.tolerance, now >= nextReport else { return nil }
        nextReport = now + Self.reportInterval
        return difference
    }
}
