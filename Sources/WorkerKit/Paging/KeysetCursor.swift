package import Contracts
package import FoundationEssentials

/// A place in a list that is ordered by time and id, newest first. Clients see it as an opaque text.
package struct KeysetCursor: Sendable, Hashable {
    /// The time of the item before this place.
    package let time: Timestamp
    /// The id of the item before this place. Items with the same time are ordered by id.
    package let id: UUID

    private static let size = 24
    /// The years 1 to 9999, in milliseconds. RFC 3339 can express these years, and PostgreSQL can store them.
    private static let times: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    /// Makes the cursor of the place after an item.
    package init(time: Timestamp, id: UUID) {
        self.time = time
        self.id = id
    }

    /// Parses a cursor that a client sent.
    ///
    /// - Throws: a `Problem` for the field `cursor` if the text is not an encoded cursor (see ``text``).
    package init(_ text: String) throws(Problem) {
        guard let bytes = Base64URL.decode(text.utf8), bytes.count == Self.size else { throw Self.invalidCursor }
        let milliseconds = bytes[0..<8].reduce(0) { $0 << 8 | Int64($1) }
        guard Self.times.contains(milliseconds) else { throw Self.invalidCursor }
        time = Timestamp(milliseconds: milliseconds)
        var octets = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<16 { octets[index] = bytes[8 + index] }
        id = UUID(octets: octets)
    }

    private static var invalidCursor: Problem { .invalid("/cursor", "must be the nextCursor of a page of this list") }

    /// The cursor's text for clients: base64url without padding.
    package var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: time.milliseconds >> Int64(shift)))
        }
        let octets = id.octets
        for index in 0..<16 { bytes.append(octets[index]) }
        return Base64URL.encode(bytes)
    }
}
