internal import NIOCore
internal import NIOHTTP1

/// Sets up the channel of an HTTP/1.1 connection: NIO's parser with the limits of the ingress, and the
/// ``HTTPConnectionHandler``.
struct ConnectionPipeline: Sendable {
    /// The maximum number of header fields in a request.
    private static let maximumFieldCount = 100
    /// The size of the kernel's send buffer and of its receive buffer of a connection, in bytes.
    private static let socketBuffer: SocketOptionValue = 128 * 1024

    let gateway: Gateway
    let timeouts: ConnectionTimeouts
    /// The maximum size of all header fields of a request together, in bytes.
    let headerBytes: Int
    let connections: ConnectionRegistry

    /// Adds the handlers to a new channel. Must be called on the channel's event loop.
    func add(to channel: any Channel) throws {
        let peer = ClientAddress(channel)
        let connection = HTTPConnectionHandler(
            timeouts: timeouts, peer: peer, slot: register(channel, peer), gateway: gateway)
        // The kernel would give a connection several MiB (tcp(7), tcp_wmem and tcp_rmem), which no other limit counts.
        // A small send buffer also shows sooner whether the client reads.
        try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: Self.socketBuffer)
        try channel.syncOptions?.setOption(.socketOption(.so_rcvbuf), value: Self.socketBuffer)
        // One read suffices for a request. By default NIO would read again and find nothing. If more has arrived, epoll
        // reports it.
        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
        // The next request of a connection waits while the connection has this much unsent output.
        try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 8 * 1024, high: 16 * 1024))
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = headerBytes
        limits.maxHeaderListSize = headerBytes
        limits.maxHeaderFieldCount = Self.maximumFieldCount
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(InboundBytesHandler(connection))
        try pipeline.addHandler(ByteToMessageHandler(decoder))
        try pipeline.addHandler(connection)
    }

    /// Registers a new connection. If there is no room for it, closes it.
    private func register(_ channel: any Channel, _ peer: ClientAddress) -> ConnectionRegistry.Slot? {
        let isProxy = peer.ip.map { gateway.proxies.trusts($0) } ?? false
        let now = NIODeadline.now().uptimeNanoseconds
        guard let slot = connections.add(channel, network: isProxy ? nil : peer.rateLimitKey, at: now) else {
            // The pipeline must be complete before the channel is closed, so the channel is closed in the next turn.
            channel.eventLoop.execute { channel.close(promise: nil) }
            return nil
        }
        channel.closeFuture.whenComplete { _ in connections.remove(slot) }
        return slot
    }
}
