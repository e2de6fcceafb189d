internal import Synchronization

extension Timestamp {
    private static let clock = Mutex(OrderedClock())

    /// Returns the current time of the system clock, but never an earlier time than in an earlier call in this process.
    /// Use it for times by which entities are sorted.
    ///
    /// If the system clock is set back, the times advance at half speed until the system clock has caught up.
    package static func ordered() -> Timestamp {
        clock.withLock { $0.time(system: .now(), at: .now) }
    }
}

/// Makes times that never decrease from the times of a clock that can be set back.
struct OrderedClock {
    private var last = Timestamp(milliseconds: .min)
    /// The last time before the system clock was set back, and when it was returned; `nil` if the system clock is not
    /// behind.
    private var anchor: (time: Timestamp, instant: ContinuousClock.Instant)?
    private var lastInstant: ContinuousClock.Instant?

    /// Returns the next time.
    ///
    /// - Parameters:
    ///   - system: the time of the system clock.
    ///   - instant: the time of a clock that is never set.
    mutating func time(system: Timestamp, at instant: ContinuousClock.Instant) -> Timestamp {
        defer { lastInstant = instant }
        if system >= last {
            anchor = nil
            last = system
            return system
        }
        let from = anchor ?? (last, lastInstant ?? instant)
        anchor = from
        last = max(last, from.time.advanced(by: (instant - from.instant) / 2))
        return last
    }
}
