internal import NIOCore

/// The other end of a connection, or the client that a trusted proxy says is behind it.
struct Peer: Sendable, Hashable {
    /// Nothing where it has none, as at a socket of the file system.
    let address: IPAddress?

    init(_ address: IPAddress?) {
        self.address = address
    }

    init(_ channel: any Channel) {
        self.init(channel.remoteAddress)
    }

    init(_ address: SocketAddress?) {
        // The octets stand behind the family and the port (sockaddr_in, ip(7)), in IPv6 behind the flow too
        // (sockaddr_in6, ipv6(7)).
        let place: (start: Int, size: Int)
        switch address {
        case .v4: place = (4, 4)
        case .v6: place = (8, 16)
        case .unixDomainSocket, nil:
            self.address = nil
            return
        }
        self.address = address?.withSockAddr { pointer, size in
            IPAddress(
                octets: UnsafeRawBufferPointer(start: pointer, count: size).dropFirst(place.start).prefix(place.size))
        }
    }

    /// What rate limits know it by.
    var rateKey: String { address?.rateKey ?? "local" }
}
