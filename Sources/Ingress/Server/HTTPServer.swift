internal import Logging
internal import NIOCore
internal import NIOExtras
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
    /// connections that are accepted or being closed.
    static let additionalConnections = ConnectionRegistry.reserve + 32

    private let settings: HTTPSettings
    private let pipeline: ConnectionPipeline
    private let log: Logger
    private let awaitConnections: @Sendable () async -> Void
    private let abandonRequests: @Sendable () async -> Void
    private let boundPort = Mutex<Int?>(nil)

    /// - Parameters:
    ///   - settings: the address and the limits.
    ///   - pipeline: sets up the connections.
    ///   - log: the log.
    ///   - awaitConnections: called before the server listens. It returns when requests can be served, or after a time
    ///     limit.
    ///   - abandonRequests: called when the stop limit is reached. It must end all requests that wait for a reply.
    init(
        settings: HTTPSettings, pipeline: ConnectionPipeline, log: Logger,
        awaitConnections: @escaping @Sendable () async -> Void,
        abandonRequests: @escaping @Sendable () async -> Void
    ) {
        self.settings = settings
        self.pipeline = pipeline
        self.log = log
        self.awaitConnections = awaitConnections
        self.abandonRequests = abandonRequests
    }

    /// The port that the server listens on; `nil` before the server listens.
    var port: Int? { boundPort.withLock { $0 } }

    /// Sets the number of HTTP threads of the process. Must be called once, before the first server is made.
    ///
    /// The threads are those of NIO's shared event loop group, which is never shut down, because the reply to a request
    /// whose client has left can arrive after the server has stopped.
    static func setThreads(_ count: Int) {
        NIOSingletons.groupLoopCountSuggestion = count
    }

    /// Waits until requests can be served, and then listens until graceful shutdown begins. Returns when all
    /// connections are closed.
    func run() async throws {
        await awaitConnections()
        let group = MultiThreadedEventLoopGroup.singleton
        let quiescing = ServerQuiescingHelper(group: group)
        let channel = try await listen(on: group, quiescing)
        let port = channel.localAddress?.port ?? settings.port
        boundPort.withLock { $0 = port }
        log.info("listening", metadata: ["host": "\(settings.host)", "port": "\(port)"])
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await gracefulShutdown() }
            tasks.addTask {
                try await channel.closeFuture.get()
                throw ListenError(description: "the listening socket was closed")
            }
            do {
                try await tasks.next()
            } catch {
                await close(quiescing, group, within: .zero)
                throw error
            }
            tasks.cancelAll()
            await close(quiescing, group, within: settings.stopLimit)
        }
    }

    /// Closes idle connections at once and the others after their responses. At the time limit, abandons the requests
    /// that are still in flight, and closes all connections.
    private func close(
        _ quiescing: ServerQuiescingHelper, _ group: MultiThreadedEventLoopGroup, within limit: Duration
    ) async {
        let closed = group.any().makePromise(of: Void.self)
        quiescing.initiateShutdown(promise: closed)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.enforce(limit) }
            do {
                try await closed.futureResult.get()
            } catch {
                self.log.debug("the server was already closed", metadata: ["error": "\(error)"])
            }
            tasks.cancelAll()
        }
    }

    private func enforce(_ limit: Duration) async {
        do {
            try await Loop.sleep(for: limit)
            log.warning("the stop limit was reached; requests in flight are abandoned")
            await abandonRequests()
            try await Loop.sleep(for: .seconds(1))
        } catch {
            // All connections are closed, or the process is cancelled and must not wait.
        }
        pipeline.connections.closeAll()
    }

    private func listen(
        on group: MultiThreadedEventLoopGroup, _ quiescing: ServerQuiescingHelper
    ) async throws -> any Channel {
        let pipeline = pipeline
        do {
            return try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: Int32(settings.backlog))
                // The connections of one turn are registered before further ones are accepted.
                .serverChannelOption(.maxMessagesPerRead, value: 16)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(quiescing.makeServerChannelHandler(channel: channel))
                        // Waits before it accepts again if there are no free descriptors.
                        try pipeline.addHandler(AcceptBackoffHandler())
                    }
                }
                // A client may close its sending direction after a request and still read the response.
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try pipeline.add(to: channel) }
                }
                .bind(host: settings.host, port: settings.port).get()
        } catch let error as IOError {
            throw ListenError(description: "cannot listen on \(settings.host):\(settings.port): \(error)")
        }
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
