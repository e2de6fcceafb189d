import Foundation
import Glibc
import Synchronization

// Unchecked: the mutex of `state` protects all mutable state.
/// A TCP proxy on loopback between a driver and its server. It can break, refuse and stall connections.
///
/// Two threads serve each connection. ``stop()`` ends all threads.
public final class FaultProxy: @unchecked Sendable {
    private struct State {
        var isRefusing = false
        var isStalled = false
        var isStopped = false
        var sockets: Set<Int32> = []
        var accepted = 0
        var cuts = 0
        var exchanges = 0
        var serverSentLast = true
    }

    /// The port that the proxy listens on.
    public let port: Int
    private let listener: Int32
    private let target: Int
    private let state = Mutex(State())
    private let done = DispatchSemaphore(value: 0)

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - target: the server's port on 127.0.0.1.
    ///   - host: the address to listen on, an IPv4 or IPv6 address of this machine.
    ///   - port: the port to listen on; 0 for a free port.
    /// - Throws: `POSIXError` if the kernel has no socket or the port is taken.
    public init(to target: Int, on host: String = "127.0.0.1", port: Int = 0) throws {
        self.target = target
        listener = socket(host.contains(":") ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        do {
            self.port = try Self.bindAndListen(listener, host, port)
        } catch {
            close(listener)
            throw error
        }
        let thread = Thread { [self] in acceptAll() }
        thread.start()
    }

    /// The number of accepted connections.
    public var acceptedCount: Int { state.withLock { $0.accepted } }

    /// How often a client sent data after the server had. With one connection this is the number of round trips.
    public var exchangeCount: Int { state.withLock { $0.exchanges } }

    /// Closes all open connections. New connections are served.
    public func cut() {
        state.withLock { state in
            state.cuts += 1
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// Closes all open connections, and each new connection as soon as it is accepted, as if the server were down.
    public func refuse() {
        state.withLock { $0.isRefusing = true }
        cut()
    }

    /// Stops forwarding in both directions and leaves the connections open, as if the server had hung.
    public func stall() {
        state.withLock { $0.isStalled = true }
    }

    /// Undoes ``refuse()`` and ``stall()``.
    public func resume() {
        state.withLock {
            $0.isRefusing = false
            $0.isStalled = false
        }
    }

    /// Closes every connection and stops listening.
    public func stop() {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        guard isFirst else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        done.wait()
        cut()
        close(listener)
    }

    private func acceptAll() {
        defer { done.signal() }
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            let (isRefusing, cuts) = state.withLock { state in
                state.accepted += 1
                return (state.isRefusing || state.isStopped, state.cuts)
            }
            guard !isRefusing, let server = Self.connect(to: target) else {
                close(client)
                continue
            }
            // A cut since the connection was accepted also cuts this connection.
            let isOpen = state.withLock { state in
                guard state.cuts == cuts else { return false }
                state.sockets.formUnion([client, server])
                return true
            }
            guard isOpen else {
                close(client)
                close(server)
                continue
            }
            let ends = Pair(client: client, server: server)
            Thread { [self] in copy(from: client, to: server, ends) }.start()
            Thread { [self] in copy(from: server, to: client, ends) }.start()
        }
    }

    /// The two sockets of one connection, which are closed when both directions have ended.
    private final class Pair: Sendable {
        let client: Int32
        let server: Int32
        let open = Mutex(2)

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }
    }

    private func copy(from source: Int32, to sink: Int32, _ pair: Pair) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        copying: while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            while state.withLock({ $0.isStalled && !$0.isStopped }) { usleep(5000) }
            countExchange(isFromClient: source == pair.client)
            var sent = 0
            while sent < count {
                let wrote = buffer.withUnsafeBytes { bytes in
                    send(sink, bytes.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard wrote > 0 else { break copying }
                sent += wrote
            }
        }
        shutdown(sink, Int32(SHUT_RDWR))
        shutdown(source, Int32(SHUT_RDWR))
        let isLast = pair.open.withLock { open in
            open -= 1
            return open == 0
        }
        guard isLast else { return }
        state.withLock { $0.sockets.subtract([pair.client, pair.server]) }
        close(pair.client)
        close(pair.server)
    }

    private func countExchange(isFromClient: Bool) {
        state.withLock { state in
            if isFromClient, state.serverSentLast { state.exchanges += 1 }
            state.serverSentLast = !isFromClient
        }
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }

    private static func bindAndListen(_ descriptor: Int32, _ host: String, _ port: Int) throws -> Int {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let address = list?.pointee else {
            throw POSIXError(.EINVAL)
        }
        defer { freeaddrinfo(list) }
        var length = address.ai_addrlen
        guard bind(descriptor, address.ai_addr, length) == 0, listen(descriptor, 64) == 0,
            getsockname(descriptor, address.ai_addr, &length) == 0
        else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        // The port is at the same place in sockaddr_in and sockaddr_in6.
        return address.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            Int(in_port_t(bigEndian: $0.pointee.sin_port))
        }
    }

    private static func connect(to port: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var server = address(port)
        let code = withUnsafePointer(to: &server) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
