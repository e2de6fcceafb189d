internal import Foundation
internal import Glibc
internal import Synchronization

// Unchecked: the mutex of `state` protects all mutable state.
/// A TCP proxy on loopback between a client and its server. It can break, refuse and stall connections, and an
/// inspector can decide which bytes it forwards.
///
/// Two threads serve each connection. Call ``stop()``, which ends all threads and closes the sockets.
package final class FaultProxy: @unchecked Sendable {
    private struct State {
        var isRefusing = false
        var isStalled = false
        var isStopped = false
        var sockets: Set<Int32> = []
        var accepted = 0
        var cuts = 0
        var exchanges = 0
        var disturbances = 0
        var serverSentLast = true
    }

    /// The port that the proxy listens on.
    package let port: Int
    /// The port of the server.
    package let target: Int
    private let listener: Int32
    private let makeInspector: (@Sendable () -> any ConnectionInspector)?
    private let state = Mutex(State())
    /// The threads that have not ended.
    private let threads = DispatchGroup()

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - target: the server's port on 127.0.0.1.
    ///   - host: the address to listen on, an IPv4 or IPv6 address of this machine.
    ///   - port: the port to listen on; 0 for a free port.
    ///   - makeInspector: makes the inspector of a connection; `nil` to forward all bytes.
    /// - Throws: `POSIXError` if the kernel has no socket or the port is taken.
    package init(
        to target: Int, on host: String = "127.0.0.1", port: Int = 0,
        makeInspector: (@Sendable () -> any ConnectionInspector)? = nil
    ) throws {
        self.target = target
        self.makeInspector = makeInspector
        (listener, self.port) = try LoopbackSocket.listen(on: host, port: port)
        startThread { [self] in acceptAll() }
    }

    /// The number of accepted connections.
    package var acceptedCount: Int { state.withLock { $0.accepted } }

    /// How often a client sent data after the server had. With one connection this is the number of round trips.
    package var exchangeCount: Int { state.withLock { $0.exchanges } }

    /// How often the proxy has cut an open connection, refused a connection, or held back what a peer had sent.
    package var disturbanceCount: Int { state.withLock { $0.disturbances } }

    /// Closes all open connections. New connections are served.
    package func cut() {
        state.withLock { state in
            state.cuts += 1
            // A connection has two sockets.
            state.disturbances += state.sockets.count / 2
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// Closes all open connections, and each new connection as soon as it is accepted, as if the server were down.
    package func refuse() {
        state.withLock { $0.isRefusing = true }
        cut()
    }

    /// Stops forwarding in both directions and leaves the connections open, as if the server had hung. If a peer closes
    /// its connection meanwhile, the other peer learns it after ``resume()``.
    package func stall() {
        state.withLock { $0.isStalled = true }
    }

    /// Undoes ``refuse()`` and ``stall()``.
    package func resume() {
        state.withLock {
            $0.isRefusing = false
            $0.isStalled = false
        }
    }

    /// Closes every connection and stops listening. Returns when all threads of the proxy have ended, so no inspector
    /// is called afterwards. Do not call this from an inspector, because it would wait for its own thread.
    package func stop() {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        if isFirst { shutdown(listener, Int32(SHUT_RDWR)) }
        cut()
        threads.wait()
        if isFirst { close(listener) }
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func startThread(_ body: @escaping @Sendable () -> Void) {
        threads.enter()
        Thread { [threads] in
            body()
            threads.leave()
        }.start()
    }

    private func acceptAll() {
        while true {
            guard let client = LoopbackSocket.accept(listener) else {
                let code = errno
                guard !isStopped else { return }
                // The other errors may last: the process has too many open files, for example.
                if code != EINTR, code != ECONNABORTED { usleep(10_000) }
                continue
            }
            let (isRefusing, cuts) = state.withLock { state in
                state.accepted += 1
                if state.isRefusing { state.disturbances += 1 }
                return (state.isRefusing || state.isStopped, state.cuts)
            }
            guard !isRefusing else {
                close(client)
                continue
            }
            // A thread of its own, because connecting to a server that hangs takes long.
            startThread { [self] in serve(client, acceptedAfter: cuts) }
        }
    }

    /// Connects an accepted client to the server, and forwards until the connection ends.
    private func serve(_ client: Int32, acceptedAfter cuts: Int) {
        let isOpen = { [self] in state.withLock { $0.cuts == cuts } }
        guard let server = LoopbackSocket.connect(to: target, while: isOpen) else {
            waitWhileStalled()
            close(client)
            return
        }
        let connection = ProxiedConnection(client: client, server: server, inspector: makeInspector?())
        // If cut() ran after accept(), close this connection, too.
        let isRegistered = state.withLock { state in
            guard state.cuts == cuts else { return false }
            state.sockets.formUnion(connection.sockets)
            return true
        }
        guard isRegistered else {
            connection.close()
            return
        }
        startThread { [self] in forward(connection, from: .server) }
        forward(connection, from: .client)
    }

    /// Forwards one direction of a connection until it ends. The direction that ends last closes the sockets.
    private func forward(_ connection: ProxiedConnection, from peer: Peer) {
        let isLast = connection.forward(
            from: peer, willForward: waitWhileStalled, received: { countExchange(from: peer) })
        guard isLast else { return }
        state.withLock { $0.sockets.subtract(connection.sockets) }
        connection.close()
    }

    private func waitWhileStalled() {
        let isHeld = state.withLock { state in
            if state.isStalled { state.disturbances += 1 }
            return state.isStalled
        }
        guard isHeld else { return }
        while state.withLock({ $0.isStalled && !$0.isStopped }) { usleep(5000) }
    }

    private func countExchange(from peer: Peer) {
        state.withLock { state in
            if peer == .client, state.serverSentLast { state.exchanges += 1 }
            state.serverSentLast = peer == .server
        }
    }
}
