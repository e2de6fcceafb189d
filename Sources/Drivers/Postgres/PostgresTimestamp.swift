/// An instant to the microsecond, as PostgreSQL's `timestamptz` keeps it.
package struct PostgresTimestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var microseconds: Int64

    /// Makes an instant of microseconds since 1970-01-01T00:00:00Z.
    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Makes an instant of milliseconds since 1970-01-01T00:00:00Z, clamped to what 64 bits of microseconds hold.
    package init(milliseconds: Int64) {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
        microseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded down.
    package var milliseconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// What lies between PostgreSQL's epoch, 2000-01-01T00:00:00Z, and the Unix one, in microseconds.
    static let postgresEpoch: Int64 = 946_684_800_000_000

    package static func < (left: PostgresTimestamp, right: PostgresTimestamp) -> Bool {
        left.microseconds < right.microseconds
    }
}
