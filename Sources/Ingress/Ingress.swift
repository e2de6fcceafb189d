internal import AMQP
internal import Contracts
internal import HTTPTypes
internal import Logging
internal import NIOCore
internal import Reactor
internal import Redis
internal import ServiceLifecycle
internal import WorkerKit

/// The ingress: HTTP in, message out, reply back.
package enum Ingress {
    /// Runs the ingress until it is told to stop, and ends the process.
    package static func main() async -> Never {
        await Daemon.run("ingress") { settings, log in
            let settings = try await IngressSettings(settings)
            HTTPServer.setThreads(settings.http.threads)
            return IngressParts(settings, log: log).services
        }
    }
}

/// The parts of a running ingress.
@Loop struct IngressParts {
    let exchange: MessageExchange
    let http: HTTPServer
    /// What is held of uploads; for tests.
    let uploads: BodyBudget
    /// In the order of their start; they stop in the reverse order: first HTTP, last Redis.
    let services: [any Service]

    init(_ settings: IngressSettings, log: Logger) {
        let name = "warren-ingress"
        let redis = RedisClient(address: settings.redis, name: name, log: log)
        let publisher = Publisher(address: settings.broker, name: name, log: log)
        let requester = Requester(
            publisher: publisher, principal: settings.broker.user, limit: settings.pendingRequests)
        let consumer = Consumer(
            address: settings.broker, name: name, subscriptions: [requester.subscription], log: log)
        let exchange = MessageExchange(
            requester: requester, publisher: publisher, consumer: consumer, redis: redis)
        let uploads = BodyBudget(settings.bodyBytes / 4 * 3)
        let http = Self.server(settings, exchange, uploads, log) { await requester.abandon() }
        self.exchange = exchange
        self.uploads = uploads
        self.http = http
        services = [
            Managed(start: { await redis.run() }, stop: { await redis.close() }),
            Managed(start: { await publisher.run() }, stop: { await publisher.close(within: .seconds(2)) }),
            Managed(
                start: { await consumer.run() },
                stop: {
                    await consumer.stopConsuming()
                    await consumer.close()
                }),
            TopologyCheck(broker: settings.broker, name: name, log: log),
            http,
            ReadyNotice(log: log) { http.port != nil && exchange.currentHealth.isBrokerUp },
        ]
    }

    private static func server(
        _ settings: IngressSettings, _ exchange: MessageExchange, _ uploads: BodyBudget, _ log: Logger,
        abandon: @escaping @Sendable () async -> Void
    ) -> HTTPServer {
        let cors = CORS(origins: settings.corsOrigins)
        let responses = ResponseMaker(cors: cors)
        let gateway = Gateway(
            routes: RouteTree(RouteTable.all),
            authenticator: Authenticator(
                verifier: TokenVerifier(keys: settings.keys, issuer: settings.issuer, audience: settings.audience),
                cache: TokenCache(capacity: settings.tokenCacheSize)),
            limits: settings.limits, proxies: settings.proxies,
            bodies: BodyReader(
                jsonLimit: 64 * 1024, uploadLimit: Messages.Media.uploadLimit,
                jsonBudget: BodyBudget(settings.bodyBytes / 4), uploadBudget: uploads),
            exchange: exchange, responses: responses, cors: cors, own: OwnResources(keys: settings.keys), log: log)
        let channel = IngressChannel(
            responder: { try await gateway.respond($0, $1, $2) }, limits: settings.connection,
            headerBytes: settings.headerBytes,
            refusal: { problem, channel in
                let promise = channel.eventLoop.makePromise(of: ConnectionGuard.Refused.self)
                exchange.charge(settings.limits.charges(.general, caller: nil, address: Peer(channel))) { decisions in
                    promise.succeed(Self.refused(problem, decisions, responses, log))
                }
                return promise.futureResult
            })
        return HTTPServer(settings: settings.http, channel: channel, log: log, abandon: abandon)
    }

    /// The response to what never became a request, and its line in the log.
    private nonisolated static func refused(
        _ problem: Problem, _ decisions: [RateDecision], _ responses: ResponseMaker, _ log: Logger
    ) -> ConnectionGuard.Refused {
        let problem =
            decisions.areAllowed ? problem : Problem(.tooManyRequests, retryAfter: decisions.retryAfter)
        let id = RequestID.make(nil)
        let answer = Answer.problem(problem, traceID: TraceContext().traceID)
        log.info(
            "no request",
            metadata: [
                "request-id": .string(id), "status": .stringConvertible(answer.status),
                "code": .string(problem.code.code),
            ])
        let head = responses.head(answer, requestID: id, decisions: decisions, closes: true)
        return (head, ByteBuffer(bytes: answer.body))
    }
}
