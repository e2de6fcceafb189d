internal import ASCII
internal import Glibc
internal import Reactor

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address equals the IPv4 address that it maps.
struct IPAddress: Sendable, Hashable {
    /// The address as 128 bits; an IPv4 address is stored IPv4-mapped (RFC 4291, section 2.5.5.2).
    let bits: UInt128

    private static let mappedPrefix: UInt128 = 0xFFFF << 32

    /// Creates an address from its 4 or 16 octets in network order; returns `nil` for any other count.
    init?(octets: some Collection<UInt8>) {
        let number = octets.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        switch octets.count {
        case 4: bits = Self.mappedPrefix | number
        case 16: bits = number
        default: return nil
        }
    }

    /// Parses dotted-decimal IPv4 or textual IPv6, without port, brackets or zone.
    init?(_ text: some StringProtocol) {
        guard (2...45).contains(text.utf8.count), !text.utf8.contains(0) else { return nil }
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        var octets = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        // inet_pton(3) accepts neither leading zeros nor zones.
        let status = octets.withUnsafeMutableBytes {
            inet_pton(isIPv6 ? AF_INET6 : AF_INET, String(text), $0.baseAddress)
        }
        guard status == 1 else { return nil }
        self.init(octets: octets)
    }

    var isIPv4: Bool { bits >> 32 == 0xFFFF }

    /// The key under which rate limits count this address: the IPv4 address, or the /64 network of the IPv6 address.
    ///
    /// An IPv6 host can use every address of a /64 network (RFC 4291, section 2.5.4), so it could evade a limit per
    /// address.
    var rateLimitKey: String {
        let (groups, bits, size, radix): (Int, UInt128, UInt128, Int) =
            isIPv4 ? (4, bits & 0xFFFF_FFFF, 8, 10) : (4, bits >> 64, 16, 16)
        let parts = (0..<groups).reversed().map {
            String(bits >> (UInt128($0) * size) & ((1 << size) - 1), radix: radix)
        }
        return parts.joined(separator: isIPv4 ? "." : ":")
    }
}

/// A network in CIDR notation, such as `10.0.0.0/8` or `2001:db8::/32`. A text without a prefix length is a network
/// that contains only this address.
struct IPNetwork: Sendable, Hashable {
    private static var malformed: ParseError {
        ParseError("must be IP addresses or networks such as 10.0.0.0/8, separated by commas")
    }

    private let address: IPAddress
    /// The number of low-order bits that are not part of the network's prefix.
    private let hostBits: Int

    init(_ text: String) throws(ParseError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { throw Self.malformed }
        self.address = address
        let width = address.isIPv4 ? 32 : 128
        switch parts.count {
        case 1: hostBits = 0
        case 2:
            guard parts[1].utf8.allSatisfy(\.isASCIIDigit), let length = Int(parts[1]),
                (0...width).contains(length)
            else { throw Self.malformed }
            hostBits = width - length
        default: throw Self.malformed
        }
    }

    func contains(_ other: IPAddress) -> Bool {
        guard address.isIPv4 == other.isIPv4 else { return false }
        return hostBits == 128 || other.bits >> UInt128(hostBits) == address.bits >> UInt128(hostBits)
    }
}
