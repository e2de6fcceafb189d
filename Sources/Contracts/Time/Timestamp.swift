package import FoundationEssentials

/// A time with millisecond precision, which is the precision of all times in messages.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
    package let milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Converts a date, rounded down to the millisecond.
    package init(_ date: Date) {
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded(.down)
        self.milliseconds = Int64(exactly: milliseconds) ?? (milliseconds > 0 ? .max : .min)
    }

    /// Returns the current time of the system clock.
    package static func now() -> Timestamp {
        Timestamp(Date())
    }

    /// The time as a Foundation date.
    package var date: Date {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// Returns the time after a duration. The result is clamped instead of overflowing, because messages can contain
    /// any time.
    package func advanced(by duration: Duration) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        return Timestamp(milliseconds: overflow ? (milliseconds > 0 ? .max : .min) : sum)
    }

    /// Returns the duration from another time to this time. The result is clamped instead of overflowing.
    package func since(_ other: Timestamp) -> Duration {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(other.milliseconds)
        return .milliseconds(overflow ? (milliseconds > 0 ? .max : .min) : difference)
    }
}

extension Duration {
    /// The duration in milliseconds, rounded towards zero and clamped.
    fileprivate var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return overflow || carry ? (seconds > 0 ? .max : .min) : sum
    }
}
