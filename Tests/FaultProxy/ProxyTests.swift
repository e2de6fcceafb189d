import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import FaultProxy

@Suite("Fault proxy", .timeLimit(.minutes(1)))
struct ProxyTests {
    /// Forwards the client's bytes up to `!`, and holds everything after it in both directions.
    private final class Inspector: ConnectionInspector {
        private let isHolding = Mutex(false)
        private let reached: @Sendable () -> Void

        init(reached: @escaping @Sendable () -> Void) {
            self.reached = reached
        }

        func inspect(_ bytes: [UInt8], from peer: Peer) -> Inspection {
            isHolding.withLock { isHolding in
                guard !isHolding else { return Inspection(forwarded: []) }
                guard let mark = bytes.firstIndex(of: UInt8(ascii: "!")) else { return Inspection(forwarded: bytes) }
                isHolding = true
                return Inspection(forwarded: Array(bytes[...mark]), completion: reached)
            }
        }
    }

    /// Runs a body with a socket that is connected to an echo server through a proxy.
    private func withConnection(
        makeInspector: (@Sendable () -> any ConnectionInspector)? = nil,
        _ body: @escaping @Sendable (FaultProxy, Int32) throws -> Void
    ) async throws {
        try await onThreads {
            let server = try EchoServer()
            defer { server.stop() }
            let proxy = try FaultProxy(to: server.port, makeInspector: makeInspector)
            defer { proxy.stop() }
            let socket = try #require(LoopbackSocket.connect(to: proxy.port))
            defer { close(socket) }
            try body(proxy, socket)
        }
    }

    /// Whether a connection stays open and carries nothing for 0.2 s.
    private func isSilent(_ socket: Int32) -> Bool {
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 200) == 0
    }

    /// Sends a text through the proxy, and checks that it comes back.
    private func expectEcho(_ text: String, _ socket: Int32) {
        #expect(LoopbackSocket.send(Array(text.utf8)[...], to: socket))
        #expect(EchoServer.receive(socket) == Array(text.utf8))
    }

    @Test("without an inspector, the proxy forwards all bytes in both directions")
    func forwards() async throws {
        try await withConnection { proxy, socket in
            for text in ["one", "two"] { expectEcho(text, socket) }
            #expect(proxy.exchangeCount == 2)
            proxy.cut()
            #expect(EchoServer.receive(socket) == nil)
        }
    }

    @Test("refuse() closes open and new connections, and after resume() new connections are served")
    func refuses() async throws {
        try await withConnection { proxy, socket in
            expectEcho("one", socket)
            proxy.refuse()
            #expect(EchoServer.receive(socket) == nil)
            let refused = try #require(LoopbackSocket.connect(to: proxy.port))
            defer { close(refused) }
            #expect(EchoServer.receive(refused) == nil)
            proxy.resume()
            let served = try #require(LoopbackSocket.connect(to: proxy.port))
            defer { close(served) }
            expectEcho("two", served)
            #expect(proxy.acceptedCount == 3)
        }
    }

    @Test("stall() holds the bytes of both directions, and resume() forwards them")
    func stalls() async throws {
        try await withConnection { proxy, socket in
            expectEcho("one", socket)
            proxy.stall()
            #expect(LoopbackSocket.send(Array("two".utf8)[...], to: socket))
            #expect(isSilent(socket))
            proxy.resume()
            #expect(EchoServer.receive(socket) == Array("two".utf8))
        }
    }

    @Test("the proxy counts what it has cut, refused and held back")
    func disturbances() async throws {
        try await withConnection { proxy, socket in
            expectEcho("one", socket)
            proxy.stall()
            #expect(proxy.disturbanceCount == 0)
            #expect(LoopbackSocket.send(Array("two".utf8)[...], to: socket))
            #expect(isSilent(socket))
            #expect(proxy.disturbanceCount == 1)
            proxy.resume()
            #expect(EchoServer.receive(socket) == Array("two".utf8))
            proxy.refuse()
            #expect(EchoServer.receive(socket) == nil)
            #expect(proxy.disturbanceCount == 2)
            let refused = try #require(LoopbackSocket.connect(to: proxy.port))
            defer { close(refused) }
            #expect(EchoServer.receive(refused) == nil)
            #expect(proxy.disturbanceCount == 3)
        }
    }

    @Test("a server that closes its connection during a stall is noticed only after resume()", arguments: ["", "last"])
    func closesDuringStall(text: String) async throws {
        try await onThreads {
            let (listener, port) = try LoopbackSocket.listen(on: "127.0.0.1", port: 0)
            defer { close(listener) }
            let proxy = try FaultProxy(to: port)
            defer { proxy.stop() }
            let client = try #require(LoopbackSocket.connect(to: proxy.port))
            defer { close(client) }
            let server = try #require(LoopbackSocket.accept(listener))
            proxy.stall()
            #expect(LoopbackSocket.send(Array(text.utf8)[...], to: server))
            close(server)
            #expect(isSilent(client))
            proxy.resume()
            if !text.isEmpty { #expect(EchoServer.receive(client) == Array(text.utf8)) }
            #expect(EchoServer.receive(client) == nil)
        }
    }

    @Test("a server that is away during a stall is noticed only after resume()")
    func awayDuringStall() async throws {
        let port = try freePort()
        try await onThreads {
            let proxy = try FaultProxy(to: port)
            defer { proxy.stop() }
            proxy.stall()
            let client = try #require(LoopbackSocket.connect(to: proxy.port))
            defer { close(client) }
            #expect(isSilent(client))
            proxy.resume()
            #expect(EchoServer.receive(client) == nil)
        }
    }

    @Test("a stalled proxy can be stopped, which closes its connections")
    func stopsDuringStall() async throws {
        try await withConnection { proxy, socket in
            proxy.stall()
            #expect(LoopbackSocket.send(Array("one".utf8)[...], to: socket))
            proxy.stop()
            #expect(EchoServer.receive(socket) == nil)
        }
    }

    @Test("a client that sends no more still receives")
    func halfClosed() async throws {
        try await onThreads {
            let (listener, port) = try LoopbackSocket.listen(on: "127.0.0.1", port: 0)
            defer { close(listener) }
            let proxy = try FaultProxy(to: port)
            defer { proxy.stop() }
            let client = try #require(LoopbackSocket.connect(to: proxy.port))
            defer { close(client) }
            let server = try #require(LoopbackSocket.accept(listener))
            shutdown(client, Int32(SHUT_WR))
            #expect(EchoServer.receive(server) == nil)
            #expect(LoopbackSocket.send(Array("last".utf8)[...], to: server))
            close(server)
            #expect(EchoServer.receive(client) == Array("last".utf8))
            #expect(EchoServer.receive(client) == nil)
        }
    }

    @Test("cut() closes a connection whose server does not accept, and further clients are accepted meanwhile")
    func cutsWhileConnecting() async throws {
        try await onThreads {
            let (listener, port) = try LoopbackSocket.bound(to: "127.0.0.1", port: 0)
            defer { close(listener) }
            #expect(listen(listener, 0) == 0)
            // The kernel ignores further attempts when the queue of the listener is full.
            var waiting: [Int32] = []
            defer { for socket in waiting { close(socket) } }
            while let socket = LoopbackSocket.connect(to: port, while: { false }) { waiting.append(socket) }
            let proxy = try FaultProxy(to: port)
            defer { proxy.stop() }
            let clients = try (0..<2).map { _ in try #require(LoopbackSocket.connect(to: proxy.port)) }
            defer { for socket in clients { close(socket) } }
            while proxy.acceptedCount < 2 { usleep(1000) }
            for client in clients { #expect(isSilent(client)) }
            proxy.cut()
            for client in clients { #expect(EchoServer.receive(client) == nil) }
        }
    }

    @Test("a proxy cannot listen on a port that another socket has")
    func portTaken() async throws {
        try await withConnection { proxy, _ in
            let error = #expect(throws: POSIXError.self) { try FaultProxy(to: 1, port: proxy.port) }
            #expect(error?.code == .EADDRINUSE)
        }
    }

    @Test("stop() returns after the last call of an inspector's completion")
    func stopWaits() async throws {
        let began = Mutex(false)
        let ended = Mutex(false)
        let inspector: @Sendable () -> any ConnectionInspector = {
            Inspector {
                began.withLock { $0 = true }
                usleep(200_000)
                ended.withLock { $0 = true }
            }
        }
        try await withConnection(makeInspector: inspector) { proxy, socket in
            #expect(LoopbackSocket.send(Array("!".utf8)[...], to: socket))
            while began.withLock({ !$0 }) { usleep(1000) }
            proxy.stop()
            #expect(ended.withLock { $0 })
        }
    }

    @Test("a proxy can listen on a free port, and a new one on the same port after stop()")
    func freePorts() async throws {
        try await onThreads {
            let port = try freePort()
            for _ in 0..<2 {
                let proxy = try FaultProxy(to: 1, port: port)
                #expect(proxy.port == port)
                proxy.stop()
            }
        }
    }

    @Test("the sockets of a proxy are closed in programs that this process starts")
    func closesOnExec() async throws {
        try await onThreads {
            let (listener, port) = try LoopbackSocket.listen(on: "127.0.0.1", port: 0)
            let client = try #require(LoopbackSocket.connect(to: port))
            let server = try #require(LoopbackSocket.accept(listener))
            defer { for socket in [listener, client, server] { close(socket) } }
            for socket in [listener, client, server] { #expect(fcntl(socket, F_GETFD) == FD_CLOEXEC) }
            // The proxy's threads wait for their peers.
            for socket in [client, server] { #expect(fcntl(socket, F_GETFL) & O_NONBLOCK == 0) }
        }
    }

    @Test("an inspector holds bytes back, and its completion is called once, after the other bytes were forwarded")
    func inspects() async throws {
        let reached = Mutex(0)
        try await withConnection(makeInspector: { Inspector { reached.withLock { $0 += 1 } } }) { proxy, socket in
            expectEcho("hello", socket)
            #expect(LoopbackSocket.send(Array("bye!hidden".utf8)[...], to: socket))
            #expect(LoopbackSocket.send(Array("hidden".utf8)[...], to: socket))
            // The echo of "bye!" is held. The connection stays open until the proxy stops.
            #expect(isSilent(socket))
            proxy.stop()
            #expect(EchoServer.receive(socket) == nil)
        }
        #expect(reached.withLock { $0 } == 1)
    }

    @Test("a tap calls back once, forwards nothing after the kill point, and closes its connections when it stops")
    func tap() async throws {
        let reached = Mutex(0)
        try await onThreads {
            let delivery = AMQPBytes.deliver(ExchangeName.commands, "post.create", tag: 1)
            let server = try EchoServer(greeting: delivery + delivery)
            defer { server.stop() }
            let tap = try WireTap(
                .delivered, of: "post.create", broker: server.port, database: server.port,
                onReached: { reached.withLock { $0 += 1 } })
            defer { tap.stop() }
            #expect(!tap.isReached)
            let worker = try #require(LoopbackSocket.connect(to: tap.brokerPort))
            defer { close(worker) }
            #expect(EchoServer.receive(worker) == delivery)
            // The worker has the bytes a little earlier than the thread of the proxy goes on.
            while reached.withLock({ $0 == 0 }) { usleep(1000) }
            #expect(tap.isReached)
            let database = try #require(LoopbackSocket.connect(to: tap.databasePort))
            defer { close(database) }
            #expect(LoopbackSocket.send(PostgresBytes.startup[...], to: database))
            for socket in [worker, database] { #expect(isSilent(socket)) }
            tap.stop()
            for socket in [worker, database] { #expect(EchoServer.receive(socket) == nil) }
        }
        #expect(reached.withLock { $0 } == 1)
    }
}
