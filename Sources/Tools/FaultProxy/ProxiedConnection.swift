internal import Glibc
internal import Synchronization

/// A client's connection to the proxy, and the proxy's connection to the server.
final class ProxiedConnection: Sendable {
    private let client: Int32
    private let server: Int32
    private let inspector: (any ConnectionInspector)?
    private let openDirections = Mutex(2)

    init(client: Int32, server: Int32, inspector: (any ConnectionInspector)?) {
        self.client = client
        self.server = server
        self.inspector = inspector
    }

    var sockets: [Int32] { [client, server] }

    /// Forwards what a peer sends, until it sends no more or the other peer receives no more. Then ends this direction
    /// only, because the other direction may still have bytes to forward, such as the server's last error message.
    ///
    /// - Parameters:
    ///   - willForward: called before each chunk, and before the end of the stream, is forwarded.
    ///   - received: called with each chunk before it is forwarded.
    /// - Returns: whether the other direction has ended, too.
    func forward(from peer: Peer, willForward: () -> Void, received: () -> Void) -> Bool {
        let (source, sink) = peer == .client ? (client, server) : (server, client)
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = LoopbackSocket.receive(from: source, into: &buffer)
            willForward()
            guard count > 0 else { break }
            received()
            guard forward(buffer[..<count], from: peer, to: sink) else { break }
        }
        shutdown(sink, Int32(SHUT_WR))
        shutdown(source, Int32(SHUT_RD))
        return openDirections.withLock { open in
            open -= 1
            return open == 0
        }
    }

    /// Closes the sockets. Call this when both directions have ended.
    func close() {
        for socket in sockets { Glibc.close(socket) }
    }

    private func forward(_ bytes: ArraySlice<UInt8>, from peer: Peer, to sink: Int32) -> Bool {
        guard let inspector else { return LoopbackSocket.send(bytes, to: sink) }
        let inspection = inspector.inspect(Array(bytes), from: peer)
        guard LoopbackSocket.send(inspection.forwarded[...], to: sink) else { return false }
        inspection.completion?()
        return true
    }
}
