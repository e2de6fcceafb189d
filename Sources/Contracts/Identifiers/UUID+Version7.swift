package import FoundationEssentials
import Synchronization

extension UUID {
    /// Returns a new version 7 identifier: milliseconds since the epoch, followed by random bits (RFC 9562,
    /// section 5.7).
    ///
    /// Each new identifier is greater than all earlier identifiers of the process, on any thread. The 12 bits after the
    /// time are a counter within the millisecond (section 6.2, method 1). If the counter overflows, the time in the
    /// identifier advances by a millisecond.
    package static func v7() -> UUID {
        var generator = PooledGenerator()
        return v7(at: .now(), using: &generator)
    }

    /// Returns a new version 7 identifier for a time and a source of random bits. If an earlier identifier of the
    /// process has a later time, the new identifier gets that later time.
    package static func v7(at time: Timestamp, using generator: inout some RandomNumberGenerator) -> UUID {
        let random: UInt64 = generator.next()
        // The counter starts with a zero bit, so that it rarely overflows (RFC 9562, section 6.2).
        let counter = (random >> 53) & 0x7FF
        let tick = VersionSevenClock.shared.tick(atLeast: time.unsignedMilliseconds << 12 | counter)
        return UUID(milliseconds: tick >> 12, low12: tick & 0xFFF, low62: generator.next())
    }

    /// The time in a version 7 identifier; `nil` for other versions.
    package var timestamp: Timestamp? {
        guard version == 7 else { return nil }
        var milliseconds: Int64 = 0
        let octets = octets
        for index in 0..<6 { milliseconds = milliseconds << 8 | Int64(octets[index]) }
        return Timestamp(milliseconds: milliseconds)
    }

    init(milliseconds: UInt64, low12: UInt64, low62: UInt64) {
        let high = milliseconds << 16 | 0x7000 | low12
        let low = low62 & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        var octets = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<8 {
            octets[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
            octets[index + 8] = UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index))
        }
        self.init(octets: octets)
    }
}

/// The time and the counter of the last identifier of this process, as one number of 48 and 12 bits.
private final class VersionSevenClock: Sendable {
    static let shared = VersionSevenClock()
    private let last = Atomic<UInt64>(0)

    /// Returns a number that is greater than all earlier ones and not less than `minimum`.
    func tick(atLeast minimum: UInt64) -> UInt64 {
        var seen = last.load(ordering: .relaxed)
        while true {
            let next = minimum > seen ? minimum : seen &+ 1
            let (exchanged, original) = last.compareExchange(expected: seen, desired: next, ordering: .relaxed)
            if exchanged { return next }
            seen = original
        }
    }
}

extension Timestamp {
    /// The milliseconds, limited to the 48 bits of a version 7 identifier. A time before 1970 becomes 1970.
    var unsignedMilliseconds: UInt64 {
        UInt64(min(max(milliseconds, 0), 0xFFFF_FFFF_FFFF))
    }
}
