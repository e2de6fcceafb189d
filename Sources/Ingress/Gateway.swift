internal import Contracts
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import WorkerKit

/// Turns each HTTP request into a message, and the outcome of the message into an HTTP response.
struct Gateway: Sendable {
    let routes: RouteTree
    let authenticator: Authenticator
    let limits: RateLimits
    let proxies: TrustedProxies
    let bodies: BodyReader
    let bridge: LoopBridge
    let responseBudget: ByteBudget
    let heads: ResponseHeadBuilder
    let cors: CORSPolicy
    let builtIn: BuiltInEndpoints
    let log: RequestLog

    /// Handles one request and writes its response. A thrown error ends the connection.
    ///
    /// The function is `@concurrent`, like Hummingbird's own functions, because a `@concurrent` function runs on the
    /// executor that the connection's task prefers: the connection's event loop.
    @concurrent func respond(
        _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel
    ) async throws {
        let start = ContinuousClock.now
        let context = RequestContext(request.head, peer: ClientAddress(channel), trusting: proxies)
        var response: IngressResponse
        do {
            response = try await self.response(to: context, request.body, writer)
            reserve(&response, context)
        } catch {
            log.write(context, aborted: error, since: start)
            throw error
        }
        log.write(context, response, since: start)
        let head = heads.head(
            of: response, requestID: context.id, origin: context.fields.origin, closes: mustClose(context, response))
        let hasBody = context.method != .head && !response.body.isEmpty
        let body = hasBody ? ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)) : ResponseBody()
        // Only the buffer keeps the bytes while the client reads them.
        response.body = []
        response.reservation?.allowEviction {
            log.write(.evicted)
            channel.close(promise: nil)
        }
        try await writer.write(response: head, body: body)
        // Until the client has read a large response, the next request on the connection waits.
        if let reservation = response.reservation {
            try await HTTPConnectionHandler.waitUntilSent(channel)
            reservation.release()
        }
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

    @concurrent private func response(
        to context: RequestContext, _ body: HTTPBody, _ writer: borrowing ResponseWriter
    ) async throws -> IngressResponse {
        switch routes.match(context.method, context.path) {
        case .notFound:
            return await problemResponse(Problem(.notFound), to: context)
        case .malformedPath:
            let problem = Problem(.malformedRequest, detail: "The path must be percent-encoded UTF-8.")
            return await problemResponse(problem, to: context)
        case .methodNotAllowed(let allow):
            if let preflight = cors.preflight(method: context.method, fields: context.fields, allow: allow) {
                return await chargedResponse(to: context, limit: .general) { preflight }
            }
            var response = await problemResponse(Problem(.methodNotAllowed), to: context)
            if response.status == 405 {
                response.fields.append(HTTPField(name: .allow, value: allow))
            }
            return response
        case .route(let route, let parameters):
            switch route.action {
            case .builtIn(let endpoint):
                return await chargedResponse(to: context, limit: route.limit) {
                    await builtIn.response(of: endpoint, bridge)
                }
            case .message(let message, let source):
                let match = MessageRoute(route: route, message: message, source: source, parameters: parameters)
                return try await forward(match, context, body, writer)
            }
        }
    }

    /// Charges a request to its rate limits and returns the response to a problem, or 429 if a limit refuses the
    /// request.
    func problemResponse(
        _ problem: Problem, to context: RequestContext, limit: Route.RateLimitClass = .general, caller: Caller? = nil
    ) async -> IngressResponse {
        await chargedResponse(to: context, limit: limit, caller: caller) {
            .problem(problem, traceID: context.trace.traceID)
        }
    }

    /// Charges a request that sends no message to its rate limits and returns its response, or 429 if a limit refuses
    /// the request.
    private func chargedResponse(
        to context: RequestContext, limit: Route.RateLimitClass, caller: Caller? = nil,
        _ makeResponse: () async -> IngressResponse
    ) async -> IngressResponse {
        let decisions = await bridge.charge(limits.charges(limit, caller: caller, client: context.client))
        guard decisions.areAllowed else { return rateLimitedResponse(decisions, to: context) }
        var response = await makeResponse()
        response.rateDecisions = decisions
        return response
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
    private func mustClose(_ context: RequestContext, _ response: IngressResponse) -> Bool {
        guard context.fields.hasBody, response.status >= 400 else { return false }
        return response.status == 408 || response.status == 413 || context.fields.isChunked
            || context.fields.contentLength ?? 0 > bodies.jsonLimit
    }
}
