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

    /// The key under which rate limits count this address: the IPv4 address that it is or contains, or the /64 network
    /// of the IPv6 address.
    ///
    /// An IPv6 host can use every address of a /64 network (RFC 4291, section 2.5.4), so it could evade a limit per
    /// address. The IPv4 clients behind a translator have addresses of one /64 network, but are different clients.
    var rateLimitKey: String {
        if let address = embeddedIPv4 { return Self.text(UInt128(address), groups: 4, of: 8, radix: 10, ".") }
        // Translators in the local-use prefix can place the IPv4 address in several ways (RFC 6052, section 2.2). Each
        // of their addresses belongs to one IPv4 address, so it is a key of its own.
        if bits >> 80 == Self.localTranslation { return Self.text(bits, groups: 8, of: 16, radix: 16, ":") }
        return Self.text(bits >> 64, groups: 4, of: 16, radix: 16, ":")
    }

    /// `64:ff9b:1::/48` (RFC 8215).
    private static let localTranslation: UInt128 = 0x0064_FF9B_0001

    /// The IPv4 address of the client, if this is its IPv4-mapped form, or if a translator or a tunnel has made this
    /// address from it; otherwise `nil`.
    ///
    /// Used only for rate-limit keys; proxy trust uses the full address.
    private var embeddedIPv4: UInt32? {
        let last = UInt32(truncatingIfNeeded: bits)
        switch bits >> 32 {
        case 0xFFFF: return last
        // ::ffff:0:0:0/96, stateless translation (RFC 2765, section 2.1).
        case 0xFFFF_0000: return last
        // 64:ff9b::/96, the well-known prefix of NAT64 (RFC 6052, section 2.1).
        case 0x0064_FF9B << 64: return last
        // A /96 network of the local-use prefix: the usual choice.
        case let prefix where prefix >> 48 == Self.localTranslation && prefix & 0xFFFF_FFFF == 0 && last != 0:
            return last
        default: break
        }
        // 2002::/16, 6to4 (RFC 3056, section 2).
        if bits >> 112 == 0x2002 { return UInt32(truncatingIfNeeded: bits >> 80) }
        // 2001::/32, Teredo: the bits of the address are inverted (RFC 4380, section 4).
        if bits >> 96 == 0x2001_0000 { return ~last }
        return nil
    }

    private static func text(_ bits: UInt128, groups: Int, of size: UInt128, radix: Int, _ separator: String) -> String
    {
        (0..<groups).reversed().map {
            String(bits >> (UInt128($0) * size) & ((1 << size) - 1), radix: radix)
        }.joined(separator: separator)
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
