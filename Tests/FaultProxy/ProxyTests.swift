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

    @Test("without an inspector, the proxy forwards all bytes in both directions")
    func forwards() async throws {
        try await withConnection { proxy, socket in
            for text in ["one", "two"] {
                #expect(LoopbackSocket.send(Array(text.utf8)[...], to: socket))
                #expect(EchoServer.receive(socket) == Array(text.utf8))
            }
            #expect(proxy.exchangeCount == 2)
            proxy.cut()
            #expect(EchoServer.receive(socket) == nil)
        }
    }

    @Test("an inspector holds bytes back, and its completion is called once, after the other bytes were forwarded")
    func inspects() async throws {
        let reached = Mutex(0)
        try await withConnection(makeInspector: { Inspector { reached.withLock { $0 += 1 } } }) { proxy, socket in
            #expect(LoopbackSocket.send(Array("hello".utf8)[...], to: socket))
            #expect(EchoServer.receive(socket) == Array("hello".utf8))
            #expect(LoopbackSocket.send(Array("bye!hidden".utf8)[...], to: socket))
            #expect(LoopbackSocket.send(Array("hidden".utf8)[...], to: socket))
            // The echo of "bye!" is held. The connection stays open until the proxy stops.
            var state = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            #expect(poll(&state, 1, 200) == 0)
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
            #expect(tap.isReached)
            let database = try #require(LoopbackSocket.connect(to: tap.databasePort))
            defer { close(database) }
            #expect(LoopbackSocket.send(PostgresBytes.startup[...], to: database))
            for socket in [worker, database] {
                var state = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                #expect(poll(&state, 1, 200) == 0)
            }
            tap.stop()
            for socket in [worker, database] { #expect(EchoServer.receive(socket) == nil) }
        }
        #expect(reached.withLock { $0 } == 1)
    }
}
