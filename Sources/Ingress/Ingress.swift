internal import AMQP
internal import Contracts
internal import HTTPTypes
internal import Logging
internal import NIOCore
internal import Reactor
internal import Redis
internal import ServiceLifecycle
internal import WorkerKit

/// The HTTP ingress daemon.
package enum Ingress {
    /// Runs the ingress until the process receives a stop signal, then exits.
    package static func main() async -> Never {
        await Daemon.run("ingress") { settings, log in
            let settings = try await IngressSettings(settings)
            HTTPServer.setThreads(settings.http.threads)
            return IngressComponents(settings, log: log).services
        }
    }
}

/// The components of one ingress, connected to each other.
@Loop struct IngressComponents {
    /// How long a starting ingress waits for the broker before it listens. Without the wait, the first requests after a
    /// restart would get a 503. If the broker is away, the ingress listens nevertheless, so that clients get a 503 with
    /// a reason.
    nonisolated private static let connectTimeout: Duration = .seconds(2)

    let bridge: LoopBridge
    let http: HTTPServer
    /// The budget for uploads. Tests read its reserved bytes.
    let uploadBudget: ByteBudget
    /// The budget for responses. Tests read its reserved bytes.
    let responseBudget: ByteBudget
    /// The services in the order of their start. They stop in reverse order: HTTP first, Redis last.
    let services: [any Service]

    /// - Parameter replyPrincipal: returns the broker user from which replies to a message type are accepted.
    init(
        _ settings: IngressSettings, log: Logger,
        replyPrincipal: @escaping @Sendable (MessageDescriptor) -> String = { $0.service.rawValue }
    ) {
        let name = "warren-ingress"
        let redis = RedisClient(address: try settings.source.redis(), name: name, log: log)
        let publisher = Publisher(address: try settings.source.broker(), name: name, log: log)
        let requester = Requester(
            publisher: publisher, principal: settings.broker.user, limit: settings.pendingRequests, log: log,
            replyPrincipal: replyPrincipal)
        let consumer = Consumer(
            address: try settings.source.broker(), name: name, subscriptions: [requester.subscription], log: log)
        let responseBudget = ByteBudget(settings.responseBytes, of: .responses)
        let bridge = LoopBridge(
            requester: requester, publisher: publisher, consumer: consumer, redis: redis,
            responseBudget: responseBudget)
        let uploadBudget = ByteBudget(settings.bodyBytes / 4 * 3, of: .requestBodies)
        let http = Self.server(
            settings, bridge, uploadBudget, responseBudget, log,
            awaitConnections: {
                let deadline = ContinuousClock.now + Self.connectTimeout
                if await publisher.waitUntilAvailable(within: Self.connectTimeout) {
                    _ = await consumer.waitUntilConsuming(within: deadline - .now)
                }
            }, abandonRequests: { await requester.abandon() })
        self.bridge = bridge
        self.uploadBudget = uploadBudget
        self.responseBudget = responseBudget
        self.http = http
        services = [
            ServiceAdapter(run: { await redis.run() }, close: { await redis.close() }),
            ServiceAdapter(run: { await publisher.run() }, close: { await publisher.close(within: .seconds(2)) }),
            ServiceAdapter(
                run: { await consumer.run() },
                close: {
                    await consumer.stopConsuming()
                    await consumer.close()
                }),
            TopologyCheck(broker: settings.broker, name: name, log: log),
            http,
            ReadyNotice(log: log) { http.port != nil && bridge.currentHealth.isBrokerUp },
        ]
    }

    private static func server(
        _ settings: IngressSettings, _ bridge: LoopBridge, _ uploadBudget: ByteBudget, _ responseBudget: ByteBudget,
        _ log: Logger, awaitConnections: @escaping @Sendable () async -> Void,
        abandonRequests: @escaping @Sendable () async -> Void
    ) -> HTTPServer {
        let requestLog = RequestLog(log)
        let gateway = Gateway(
            routes: RouteTree(RouteTable.all),
            authenticator: Authenticator(
                verifier: TokenVerifier(keys: settings.keys, issuer: settings.issuer, audience: settings.audience),
                cache: TokenCache(capacity: settings.tokenCacheSize)),
            limits: settings.limits, proxies: settings.proxies,
            bodies: BodyLimits(
                json: 64 * 1024, upload: Messages.Media.uploadLimit,
                jsonBudget: ByteBudget(settings.bodyBytes / 4, of: .requestBodies), uploadBudget: uploadBudget),
            bridge: bridge, responseBudget: responseBudget, cors: CORSPolicy(origins: settings.corsOrigins),
            builtIn: BuiltInEndpoints(keys: settings.keys), receipts: settings.receipts, log: requestLog)
        var http = settings.http
        http.connections = DescriptorLimit.fit(connections: settings.http.connections)
        if http.connections < settings.http.connections {
            log.notice(
                "the connection limit was lowered, because the limit on open file descriptors is too low",
                metadata: ["connections": "\(http.connections)"])
        }
        let connections = ConnectionRegistry(
            limit: http.connections, networkLimit: http.connectionsPerNetwork ?? max(1, http.connections / 4),
            onReplace: { requestLog.write(.replaced) })
        let pipeline = ConnectionPipeline(
            gateway: gateway, timeouts: settings.timeouts, headerBytes: settings.headerBytes, connections: connections)
        return HTTPServer(
            settings: http, pipeline: pipeline, log: log, awaitConnections: awaitConnections,
            abandonRequests: abandonRequests)
    }
}
