internal import NIOCore

/// The other end of a connection.
struct Peer: Sendable {
    private let address: SocketAddress?

    init(_ channel: any Channel) {
        address = channel.remoteAddress
    }

    init(_ address: SocketAddress?) {
        self.address = address
    }

    /// What rate limits know it by: an IPv4 address, or the network of an IPv6 address.
    ///
    /// A host of IPv6 has 2^64 addresses of its own (RFC 4291, section 2.5.4): each of them would have a limit for itself.
    var rateKey: String {
        switch address {
        case .v4: return address?.ipAddress ?? "unknown"
        case .v6: return address.map(Self.network) ?? "unknown"
        case .unixDomainSocket, nil: return "local"
        }
    }

    /// The first half of an IPv6 address, or the IPv4 address mapped into it.
    private static func network(_ address: SocketAddress) -> String {
        // The address stands behind the family, the port and the flow (sockaddr_in6, ipv6(7)).
        let octets = address.withSockAddr { pointer, size in
            Array(UnsafeRawBufferPointer(start: pointer, count: size).dropFirst(8).prefix(16))
        }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        if octets.starts(with: mapped) {
            return octets.dropFirst(12).map { String($0) }.joined(separator: ".")
        }
        return octets.prefix(8).map { String($0, radix: 16) }.joined(separator: ":")
    }
}
