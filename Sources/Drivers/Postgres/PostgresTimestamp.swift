/// An instant with a resolution of a microsecond, like PostgreSQL's `timestamptz`.
package struct PostgresTimestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var microseconds: Int64

    /// Makes an instant from microseconds since 1970-01-01T00:00:00Z.
    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Makes an instant from milliseconds since 1970-01-01T00:00:00Z. A time whose microseconds do not fit into 64 bits
    /// becomes the largest or the smallest instant.
    package init(milliseconds: Int64) {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
        microseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded down.
    package var milliseconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    package static func < (left: PostgresTimestamp, right: PostgresTimestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// PostgreSQL's epoch, 2000-01-01T00:00:00Z, in microseconds since 1970-01-01T00:00:00Z.
    private static let postgresEpoch: Int64 = 946_684_800_000_000

    /// Microseconds since 2000-01-01T00:00:00Z. The smallest instant becomes PostgreSQL's `-infinity`, the largest
    /// becomes `infinity`.
    var sincePostgresEpoch: Int64 {
        if microseconds == .max { return .max }
        let (difference, overflow) = microseconds.subtractingReportingOverflow(Self.postgresEpoch)
        return overflow ? .min : difference
    }
}

extension PostgresTimestamp: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.timestamptz }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(sincePostgresEpoch, type: TypeID.timestamptz)
    }
}

extension PostgresTimestamp: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> PostgresTimestamp {
        let bytes = try cell.contents()
        guard cell.type == TypeID.timestamptz || cell.type == TypeID.timestamp, bytes.count == 8 else {
            throw cell.mismatch("is not a timestamp")
        }
        let microseconds = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        let (sum, overflow) = microseconds.addingReportingOverflow(postgresEpoch)
        if microseconds == .min { return PostgresTimestamp(microseconds: .min) }
        return PostgresTimestamp(microseconds: overflow ? .max : sum)
    }
}
