internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Reactor
internal import ServiceLifecycle
internal import Synchronization

/// The HTTP server as a service. It listens until graceful shutdown begins, then completes the requests in flight.
final class HTTPServer: Service {
    /// The server could not listen. The description has the address and the cause.
    struct ListenError: Error, CustomStringConvertible {
        let description: String
    }

    /// The number of connections that may be open in addition to the limit: the reserve of ``ConnectionRegistry``, and
    /// connections that it is closing.
    static let additionalConnections = ConnectionRegistry.reserve + 32

    private let settings: HTTPSettings
    private let channel: IngressChannel
    private let log: Logger
    private let abandonRequests: @Sendable () async -> Void
    private let boundPort = Mutex<Int?>(nil)

    /// - Parameters:
    ///   - settings: the address and the limits.
    ///   - channel: the pipeline of each connection.
    ///   - log: the log.
    ///   - abandonRequests: called when the stop limit is reached. It must end all requests that wait for a reply.
    init(
        settings: HTTPSettings, channel: IngressChannel, log: Logger,
        abandonRequests: @escaping @Sendable () async -> Void
    ) {
        self.settings = settings
        self.channel = channel
        self.log = log
        self.abandonRequests = abandonRequests
    }

    /// The port that the server listens on; `nil` before the server listens.
    var port: Int? { boundPort.withLock { $0 } }

    /// Sets the number of HTTP threads of the process. Must be called once, before the first server is made.
    ///
    /// The threads are those of NIO's shared event loop group, which is never shut down. A separate group could not be
    /// shut down safely, because Hummingbird closes a server in a detached task. The task needs a thread of the group
    /// until it ends.
    static func setThreads(_ count: Int) {
        NIOSingletons.groupLoopCountSuggestion = count
    }

    func run() async throws {
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        let configuration = ServerConfiguration(
            address: .hostname(settings.host, port: settings.port), backlog: settings.backlog,
            availableConnectionsDelegate: .maximum(settings.connections + Self.additionalConnections, logger: quiet))
        let server = Server(
            childChannelSetup: channel, configuration: configuration,
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? self.settings.port
                self.boundPort.withLock { $0 = port }
                self.log.info("listening", metadata: ["host": "\(self.settings.host)", "port": "\(port)"])
            }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        do {
            try await run(server)
        } catch {
            await waitUntilClosed(server)
            throw error
        }
        await waitUntilClosed(server)
    }

    private func run(_ server: Server<IngressChannel>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await server.run()
                } catch let error as IOError {
                    throw ListenError(
                        description: "cannot listen on \(self.settings.host):\(self.settings.port): \(error)")
                }
            }
            tasks.addTask { try await self.enforceStopLimit() }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// Waits until every connection is closed, even if Hummingbird's own shutdown task has not started yet.
    private func waitUntilClosed(_ server: Server<IngressChannel>) async {
        do {
            try await server.shutdownGracefully()
        } catch {
            log.debug("the server was already closed", metadata: ["error": "\(error)"])
        }
    }

    /// Waits for graceful shutdown, then for the stop limit, and abandons the requests that are still in flight.
    private func enforceStopLimit() async throws {
        try await gracefulShutdown()
        try await Loop.sleep(for: settings.stopLimit)
        log.warning("the stop limit was reached; requests in flight are abandoned")
        await abandonRequests()
        try await Loop.sleep(for: .seconds(1))
    }
}

/// The listening address and the limits of the HTTP server.
struct HTTPSettings: Sendable {
    var host: String
    /// The port; 0 selects a free one.
    var port: Int
    /// The number of HTTP threads. Few threads suffice, because one event loop sends the messages of all requests. More
    /// threads would cause more wake-ups per request.
    var threads = min(4, max(1, System.coreCount / 2))
    /// The maximum number of open connections.
    var connections = 4096
    /// The maximum number of open connections of one client network; `nil` for a quarter of `connections`.
    var connectionsPerNetwork: Int?
    /// The maximum number of connections that wait until the server accepts them (listen(2)).
    var backlog = 1024
    /// The maximum time for which a graceful shutdown waits for the requests in flight.
    var stopLimit: Duration = .seconds(25)
}
