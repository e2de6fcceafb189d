internal import Contracts
internal import HTTPTypes
internal import NIOCore
internal import WorkerKit

/// Turns each HTTP request into a message, and the outcome of the message into an HTTP response.
///
/// The functions are called on the event loop of the request's connection.
final class Gateway: Sendable {
    let routes: RouteTree
    let authenticator: Authenticator
    let limits: RateLimits
    let proxies: TrustedProxies
    let bodies: BodyLimits
    let bridge: LoopBridge
    let responseBudget: ByteBudget
    let heads: ResponseHeadBuilder
    let compressor = ResponseCompressor()
    let cors: CORSPolicy
    let builtIn: BuiltInEndpoints
    let receipts: ReceiptTokens
    let log: RequestLog

    init(
        routes: RouteTree, authenticator: Authenticator, limits: RateLimits, proxies: TrustedProxies,
        bodies: BodyLimits, bridge: LoopBridge, responseBudget: ByteBudget, cors: CORSPolicy,
        builtIn: BuiltInEndpoints, receipts: ReceiptTokens, log: RequestLog
    ) {
        self.routes = routes
        self.authenticator = authenticator
        self.limits = limits
        self.proxies = proxies
        self.bodies = bodies
        self.bridge = bridge
        self.responseBudget = responseBudget
        heads = ResponseHeadBuilder(cors: cors)
        self.cors = cors
        self.builtIn = builtIn
        self.receipts = receipts
        self.log = log
    }

    /// Begins to handle a request whose head has arrived.
    func begin(_ exchange: HTTPExchange) {
        let context = exchange.context
        switch routes.match(context.method, context.path) {
        case .notFound: refuse(exchange, Problem(.notFound))
        case .malformedPath:
            refuse(exchange, Problem(.malformedRequest, detail: "The path must be percent-encoded UTF-8."))
        case .options(let allow, let acceptsPatch):
            let preflight = cors.preflight(fields: context.fields, allow: allow)
            charge(exchange, limits.charges(.general, caller: nil, client: context.client)) {
                var response = IngressResponse(status: 204, fields: [.allow: allow])
                if acceptsPatch { response.fields[.acceptPatch] = ContentType.json }
                return preflight ?? response
            }
        case .methodNotAllowed(let allow):
            charge(exchange, limits.charges(.general, caller: nil, client: context.client)) {
                var response = IngressResponse.problem(Problem(.methodNotAllowed), traceID: context.trace.traceID)
                response.fields.append(HTTPField(name: .allow, value: allow))
                return response
            }
        case .trailingSlash(let path):
            // The path has a route, so it cannot begin with two slashes and name another host.
            let location = context.query.isEmpty ? String(path) : "\(path)?\(context.query)"
            charge(exchange, limits.charges(.general, caller: nil, client: context.client)) {
                IngressResponse(status: 308, fields: [.location: location])
            }
        case .route(let route, let parameters):
            switch route.action {
            case .builtIn(let endpoint): respond(exchange, endpoint, route.limit)
            case .message(let message, let source):
                forward(
                    MessageRoute(route: route, message: message, source: source, parameters: parameters), exchange)
            }
        }
    }

    /// Takes a part of the request's body.
    func receive(_ buffer: ByteBuffer, _ exchange: HTTPExchange) {
        do throws(Problem) {
            try exchange.body?.receive(buffer)
        } catch {
            refuseBody(exchange, error)
        }
    }

    /// Sends the message, because the body is complete.
    func end(_ exchange: HTTPExchange) {
        guard var body = exchange.body else { return }
        exchange.body = nil
        do throws(Problem) {
            send(try body.finish(), exchange)
        } catch {
            refuseBody(exchange, error)
        }
    }

    /// Responds with a problem if the rest of the body is needed and will not arrive.
    func fail(_ exchange: HTTPExchange, _ problem: Problem) {
        if exchange.body != nil { refuseBody(exchange, problem) }
    }

    /// Ends a request whose connection is closed.
    func abandon(_ exchange: HTTPExchange) {
        if exchange.body != nil || exchange.isHeld {
            log.write(exchange.context, aborted: "the connection ended before the body", since: exchange.start)
        }
        exchange.body = nil
        exchange.message = nil
    }

    /// Sends a response, or the response to a conditional request. Compresses a body over 1 KiB if the client accepts
    /// gzip.
    func respond(_ exchange: HTTPExchange, _ response: IngressResponse) {
        var response = response
        let context = exchange.context
        let isCompressible = response.isCompressible && !exchange.hasCredentials
        let isGzipped = isCompressible && AcceptEncoding.allowsGzip(context.fields.acceptEncoding)
        if isCompressible { response.addVary() }
        if context.method == .get || context.method == .head {
            response = response.conditional(context.fields, isGzipped: isGzipped, traceID: context.trace.traceID)
        }
        guard isGzipped, response.isCompressible else { return complete(exchange, response) }
        if let body = response.gzippedBody {
            response.gzip(body)
            return complete(exchange, response)
        }
        let original = response
        compressor.compress(
            response.body,
            completed: exchange.onEventLoop { [self] exchange, body in
                var response = original
                if let body { response.gzip(body) }
                complete(exchange, response)
            })
    }

    /// Logs and sends a response.
    private func complete(_ exchange: HTTPExchange, _ response: IngressResponse) {
        var response = response
        reserve(&response, exchange.context)
        log.write(exchange.context, response, since: exchange.start)
        exchange.respond(response)
    }

    /// Reserves the bytes of a large response that does not come from a worker, such as the OpenAPI document. If the
    /// budget is exhausted, the response becomes a problem. ``LoopBridge`` has decided about the replies of workers.
    private func reserve(_ response: inout IngressResponse, _ context: RequestContext) {
        guard response.messageType == nil, response.body.count > ByteBudget.smallResponse else { return }
        let reservation = ByteReservation(in: responseBudget, for: [.address(context.client.rateLimitKey)])
        do throws(Problem) {
            try reservation.reserve(response.body.count)
            response.reservation = reservation
        } catch {
            let decisions = response.rateDecisions
            response = .problem(error, traceID: context.trace.traceID)
            response.rateDecisions = decisions
        }
    }

    private func respond(
        _ exchange: HTTPExchange, _ endpoint: Route.BuiltInEndpoint, _ limit: Route.RateLimitClass
    ) {
        let charges = limits.charges(limit, caller: nil, client: exchange.context.client)
        bridge.chargeBuiltIn(
            charges,
            decided: exchange.onEventLoop { [self] exchange, result in
                guard result.decisions.areAllowed else {
                    return respond(exchange, rateLimitedResponse(result.decisions, to: exchange.context))
                }
                var response = builtIn.response(of: endpoint, health: result.health)
                response.rateDecisions = result.decisions
                respond(exchange, response)
            })
    }

    /// Charges a request to its rate limits and responds with a problem, or with 429 if a limit refuses the request.
    func refuse(
        _ exchange: HTTPExchange, _ problem: Problem, limit: Route.RateLimitClass = .general, caller: Caller? = nil,
        messageType: String? = nil
    ) {
        let context = exchange.context
        charge(
            exchange, limits.charges(limit, caller: caller, client: context.client), messageType: messageType
        ) {
            var response = IngressResponse.problem(problem, traceID: context.trace.traceID)
            response.addAcceptedForms(to: context)
            return response
        }
    }

    /// Charges a request that sends no message, then responds. If a limit refuses the request, the response is 429.
    private func charge(
        _ exchange: HTTPExchange, _ charges: RequestCharges, messageType: String? = nil,
        _ makeResponse: @escaping () -> IngressResponse
    ) {
        bridge.charge(
            charges,
            decided: exchange.onEventLoop { [self] exchange, decisions in
                var response =
                    decisions.areAllowed ? makeResponse() : rateLimitedResponse(decisions, to: exchange.context)
                response.rateDecisions = decisions
                response.messageType = messageType
                respond(exchange, response)
            })
    }

    /// Makes the response to an incomplete or malformed request.
    ///
    /// - Parameter made: called on any thread with the response and the request's id.
    func refusal(
        _ problem: Problem, to peer: ClientAddress, made: @escaping @Sendable (IngressResponse, String) -> Void
    ) {
        // A proxy is not charged for a request whose client is not known.
        let isProxy = peer.ip.map { proxies.trusts($0) } ?? false
        let charges = isProxy ? RequestCharges() : limits.charges(.general, caller: nil, client: peer)
        bridge.charge(charges) { [log] decisions in
            let problem =
                decisions.areAllowed ? problem : Problem(.tooManyRequests, retryAfter: decisions.retryAfter)
            let id = RequestID.make(from: nil)
            var response = IngressResponse.problem(problem, traceID: TraceContext().traceID)
            response.rateDecisions = decisions
            log.writeRefusal(response, code: problem.code, requestID: id)
            made(response, id)
        }
    }

    /// Returns the 429 response to a request that a rate limit refused.
    func rateLimitedResponse(_ decisions: [RateDecision], to context: RequestContext) -> IngressResponse {
        let problem = Problem(.tooManyRequests, retryAfter: decisions.retryAfter)
        var response = IngressResponse.problem(problem, traceID: context.trace.traceID)
        response.rateDecisions = decisions
        return response
    }

    /// Whether to close the connection after the response, because the unread rest of the request's body may be too
    /// large to read and discard.
    func mustClose(_ context: RequestContext, _ response: IngressResponse) -> Bool {
        guard context.fields.hasBody, response.status >= 300 else { return false }
        return response.status == 408 || response.status == 413 || context.fields.isChunked
            || context.fields.contentLength ?? 0 > bodies.json
    }
}
