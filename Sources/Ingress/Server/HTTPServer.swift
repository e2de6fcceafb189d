internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Reactor
internal import ServiceLifecycle
internal import Synchronization

/// The HTTP server as a service: listens until it is told to stop, then finishes what is in hand.
final class HTTPServer: Service {
    /// It cannot listen; says where and why.
    struct CannotListen: Error, CustomStringConvertible {
        let description: String
    }

    private let settings: HTTPSettings
    private let channel: IngressChannel
    private let log: Logger
    private let abandon: @Sendable () async -> Void
    private let bound = Mutex<Int?>(nil)

    /// Makes a server.
    ///
    /// - Parameters:
    ///   - settings: where it listens and how much it takes.
    ///   - channel: what becomes of a connection.
    ///   - log: is told where it listens.
    ///   - abandon: is called when a stop has taken as long as it may: what waits for an answer must give up.
    init(
        settings: HTTPSettings, channel: IngressChannel, log: Logger, abandon: @escaping @Sendable () async -> Void
    ) {
        self.settings = settings
        self.channel = channel
        self.log = log
        self.abandon = abandon
    }

    /// The port it listens on; nothing before it does.
    var port: Int? { bound.withLock { $0 } }

    /// Has the process's HTTP threads be so many; to be called once, before there is any server.
    ///
    /// They last as long as the process: Hummingbird ends a server in a task of its own that nobody can wait for, and what
    /// that task lets go of last still wants a thread.
    static func setThreads(_ count: Int) {
        NIOSingletons.groupLoopCountSuggestion = count
    }

    func run() async throws {
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        let connections = DescriptorLimit.fit(connections: settings.connections)
        if connections < settings.connections {
            log.notice("fewer connections than configured", metadata: ["connections": "\(connections)"])
        }
        let configuration = ServerConfiguration(
            address: .hostname(settings.host, port: settings.port), backlog: settings.backlog,
            availableConnectionsDelegate: .maximum(connections, logger: quiet))
        let server = Server(
            childChannelSetup: channel, configuration: configuration,
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? self.settings.port
                self.bound.withLock { $0 = port }
                self.log.info("listening", metadata: ["host": "\(self.settings.host)", "port": "\(port)"])
            }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        do {
            try await run(server)
        } catch {
            await finish(server)
            throw error
        }
        await finish(server)
    }

    private func run(_ server: Server<IngressChannel>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await server.run()
                } catch let error as IOError {
                    throw CannotListen(
                        description: "cannot listen on \(self.settings.host):\(self.settings.port): \(error)")
                }
            }
            tasks.addTask { try await self.endStop() }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// Waits until every connection is gone, whether Hummingbird's own task has begun its end yet or not.
    private func finish(_ server: Server<IngressChannel>) async {
        do {
            try await server.shutdownGracefully()
        } catch {
            // It was closed by other means.
            log.debug("closed before", metadata: ["error": "\(error)"])
        }
    }

    /// Waits for the stop and for its end; what is still in hand then is given up.
    private func endStop() async throws {
        try await gracefulShutdown()
        try await Loop.sleep(for: settings.stopLimit)
        log.warning("stop took too long")
        await abandon()
        try await Loop.sleep(for: .seconds(1))
    }
}

/// Where the server listens and how much it takes.
struct HTTPSettings: Sendable {
    var host: String
    /// 0 for any free one.
    var port: Int
    /// How many threads of the process read and write: the fewer there are, the seldomer they are woken for a single
    /// request, and behind them is one loop.
    var threads = min(4, max(1, System.coreCount / 2))
    /// The most connections at once.
    var connections = 4096
    /// How many more may wait to be accepted.
    var backlog = 1024
    /// How long a stop waits for the requests in hand.
    var stopLimit: Duration = .seconds(25)
}
