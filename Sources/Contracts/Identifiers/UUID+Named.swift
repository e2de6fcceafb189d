internal import Crypto
package import FoundationEssentials

extension UUID {
    /// Returns the version 5 identifier of a name in a namespace (RFC 9562, section 5.5).
    package static func v5(namespace: UUID, name: String) -> UUID {
        var hash = Insecure.SHA1()
        var octets = namespace.octets
        hash.update(data: octets.indices.map { octets[$0] })
        hash.update(data: Array(name.utf8))
        for (index, byte) in hash.finalize().prefix(16).enumerated() { octets[index] = byte }
        octets[6] = octets[6] & 0x0F | 0x50
        octets[8] = octets[8] & 0x3F | 0x80
        return UUID(octets: octets)
    }

    /// Returns the version 7 identifier of a name and a time. The same name and time give the same identifier.
    ///
    /// All bits other than the time, the version and the variant come from the first 16 bytes of the name's SHA-256, so
    /// that a sender that chooses the name cannot produce the identifier of another name.
    ///
    /// - Parameter time: the identifier's time; a time before 1970 becomes 1970.
    package static func v7(hashing name: [UInt8], at time: Timestamp) -> UUID {
        var bits: (high: UInt64, low: UInt64) = (0, 0)
        for (index, byte) in SHA256.hash(data: name).prefix(16).enumerated() {
            if index < 8 { bits.high = bits.high << 8 | UInt64(byte) } else { bits.low = bits.low << 8 | UInt64(byte) }
        }
        return UUID(milliseconds: time.unsignedMilliseconds, low12: bits.high & 0xFFF, low62: bits.low)
    }
}
