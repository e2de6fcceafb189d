internal import Contracts
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import WorkerKit

/// Turns HTTP requests into messages and their ends into HTTP responses.
struct Gateway: Sendable {
    let routes: RouteTree
    let authenticator: Authenticator
    let limits: RateLimits
    let proxies: TrustedProxies
    let bodies: BodyReader
    let exchange: MessageExchange
    let responses: ResponseMaker
    let cors: CORS
    let own: OwnResources
    let log: Logger

    /// An answer on its way, and what there is to say about its request.
    struct Outcome: Sendable {
        var answer: Answer
        var decisions: [RateDecision] = []
        var messageType: String?
    }

    /// Handles one request; what it throws ends the connection.
    ///
    /// Concurrent, as Hummingbird's own functions are: it stays on the event loop that the connection's task prefers.
    @concurrent func respond(
        _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel
    ) async throws {
        let start = ContinuousClock.now
        let incoming = IncomingRequest(request.head)
        let outcome: Outcome
        do {
            let client = proxies.client(behind: Peer(channel), incoming.fields)
            outcome = try await self.outcome(incoming, request.body, writer, client)
        } catch {
            RequestLog.write(incoming, abandoned: error, since: start, to: log)
            throw error
        }
        RequestLog.write(incoming, outcome, since: start, to: log)
        let answer = outcome.answer
        let head = responses.head(
            answer, requestID: incoming.id, origin: incoming.fields.origin, decisions: outcome.decisions,
            closes: mustClose(incoming, answer))
        let hasBody = incoming.method != .head && !answer.body.isEmpty
        try await writer.write(
            response: head, body: hasBody ? ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)) : ResponseBody())
    }

    /// Finds the route and follows it.
    @concurrent private func outcome(
        _ incoming: IncomingRequest, _ body: HTTPBody, _ writer: borrowing ResponseWriter, _ peer: Peer
    ) async throws -> Outcome {
        switch routes.match(incoming.method, incoming.path) {
        case .notFound:
            return await refuse(Problem(.notFound), incoming, peer: peer)
        case .malformed:
            let problem = Problem(.malformedRequest, detail: "The path is not percent-encoded UTF-8.")
            return await refuse(problem, incoming, peer: peer)
        case .methodNotAllowed(let allow):
            if let answer = cors.preflight(method: incoming.method, fields: incoming.fields, allow: allow) {
                return await charged(.general, incoming, peer) { answer }
            }
            var outcome = await refuse(Problem(.methodNotAllowed), incoming, peer: peer)
            if outcome.answer.status == 405 {
                outcome.answer.fields.append(HTTPField(name: .allow, value: allow))
            }
            return outcome
        case .route(let route, let parameters):
            switch route.action {
            case .own(let resource):
                return await charged(route.limit, incoming, peer) { await own.answer(resource, exchange) }
            case .message(let message, let source):
                let carried = Carriage(route: route, message: message, source: source, parameters: parameters)
                return try await carry(carried, incoming, body, writer, peer)
            }
        }
    }

    /// Answers with a problem, unless a rate limit refuses even that.
    func refuse(
        _ problem: Problem, _ incoming: IncomingRequest, limit: Route.LimitClass = .general, caller: Caller? = nil,
        peer: Peer
    ) async -> Outcome {
        await charged(limit, incoming, peer, caller: caller) {
            .problem(problem, traceID: incoming.trace.traceID)
        }
    }

    /// Answers what becomes no message, unless a rate limit refuses.
    private func charged(
        _ limit: Route.LimitClass, _ incoming: IncomingRequest, _ peer: Peer, caller: Caller? = nil,
        _ answer: () async -> Answer
    ) async -> Outcome {
        let decisions = await exchange.charge(limits.charges(limit, caller: caller, address: peer))
        guard decisions.areAllowed else { return limited(decisions, incoming) }
        return Outcome(answer: await answer(), decisions: decisions)
    }

    /// Answers that there were too many requests.
    func limited(_ decisions: [RateDecision], _ incoming: IncomingRequest) -> Outcome {
        let problem = Problem(.tooManyRequests, retryAfter: decisions.retryAfter)
        return Outcome(answer: .problem(problem, traceID: incoming.trace.traceID), decisions: decisions)
    }

    /// Whether more of the request's body may be on its way than is worth reading.
    private func mustClose(_ incoming: IncomingRequest, _ answer: Answer) -> Bool {
        guard incoming.fields.hasBody, answer.status >= 400 else { return false }
        return answer.status == 408 || answer.status == 413 || incoming.fields.isChunked
            || incoming.fields.contentLength ?? 0 > bodies.jsonLimit
    }
}
