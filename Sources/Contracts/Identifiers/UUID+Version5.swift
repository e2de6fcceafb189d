internal import Crypto
package import FoundationEssentials

extension UUID {
    /// The version 5 identifier of a name in a namespace: always the same for the same two (RFC 9562, section 5.5).
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
}
