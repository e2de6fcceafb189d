internal import NIOCore

/// The address that a request comes from: the connection's peer, or the client that a trusted proxy names.
struct ClientAddress: Sendable, Hashable {
    /// The IP address; `nil` if the connection has none, as on a Unix domain socket.
    let ip: IPAddress?
    /// The key under which rate limits and shares count this client. All clients without an IP address share one key.
    let rateLimitKey: String

    init(_ ip: IPAddress?) {
        self.ip = ip
        rateLimitKey = ip?.rateLimitKey ?? "local"
    }

    /// The address of a channel's peer.
    init(_ channel: any Channel) {
        self.init(channel.remoteAddress)
    }

    init(_ address: SocketAddress?) {
        // In sockaddr_in, the address follows the family and the port (ip(7)). In sockaddr_in6, it follows the family,
        // the port and the flow label (ipv6(7)).
        let field: (offset: Int, size: Int)
        switch address {
        case .v4: field = (4, 4)
        case .v6: field = (8, 16)
        case .unixDomainSocket, nil:
            self.init(nil as IPAddress?)
            return
        }
        let ip = address?.withSockAddr { pointer, size in
            IPAddress(
                octets: UnsafeRawBufferPointer(start: pointer, count: size).dropFirst(field.offset).prefix(field.size))
        }
        self.init(ip)
    }
}
