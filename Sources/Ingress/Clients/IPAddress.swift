internal import Glibc

/// An IPv4 or IPv6 address; an IPv4 address mapped into IPv6 is the IPv4 address that it is.
struct IPAddress: Sendable, Hashable {
    /// As one of IPv6, an IPv4 address mapped into it (RFC 4291, section 2.5.5.2).
    let bits: UInt128

    private static let mapped: UInt128 = 0xFFFF << 32

    /// Takes the 4 or 16 octets of an address.
    init?(octets: some Collection<UInt8>) {
        let number = octets.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        switch octets.count {
        case 4: bits = Self.mapped | number
        case 16: bits = number
        default: return nil
        }
    }

    /// Reads dotted decimals or the text of an IPv6 address, without port, brackets or zone.
    init?(_ text: some StringProtocol) {
        guard (2...45).contains(text.utf8.count), !text.utf8.contains(0) else { return nil }
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        var octets = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        // inet_pton(3) takes neither numbers with leading zeros nor zones.
        let isRead = octets.withUnsafeMutableBytes {
            inet_pton(isIPv6 ? AF_INET6 : AF_INET, String(text), $0.baseAddress)
        }
        guard isRead == 1 else { return nil }
        self.init(octets: octets)
    }

    var isIPv4: Bool { bits >> 32 == 0xFFFF }

    /// What rate limits know it by: an IPv4 address, or the network of an IPv6 address.
    ///
    /// A host of IPv6 has 2^64 addresses of its own (RFC 4291, section 2.5.4): each of them would have a limit for itself.
    var rateKey: String {
        let (places, bits, size, radix): (Int, UInt128, UInt128, Int) =
            isIPv4 ? (4, bits & 0xFFFF_FFFF, 8, 10) : (4, bits >> 64, 16, 16)
        let parts = (0..<places).reversed().map {
            String(bits >> (UInt128($0) * size) & ((1 << size) - 1), radix: radix)
        }
        return parts.joined(separator: isIPv4 ? "." : ":")
    }
}

/// The addresses with the same first bits, written `10.0.0.0/8` or `2001:db8::/32`; a single address is one too.
struct IPNetwork: Sendable, Hashable {
    /// A text that is none.
    struct Malformed: Error, CustomStringConvertible {
        let description = "must be IP addresses or networks such as 10.0.0.0/8, separated by commas"
    }

    private let address: IPAddress
    /// How many bits do not count.
    private let free: Int

    init(_ text: String) throws(Malformed) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { throw Malformed() }
        self.address = address
        let width = address.isIPv4 ? 32 : 128
        switch parts.count {
        case 1: free = 0
        case 2:
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]),
                (0...width).contains(length)
            else { throw Malformed() }
            free = width - length
        default: throw Malformed()
        }
    }

    func contains(_ other: IPAddress) -> Bool {
        guard address.isIPv4 == other.isIPv4 else { return false }
        return free == 128 || other.bits >> UInt128(free) == address.bits >> UInt128(free)
    }
}
