internal import Contracts
internal import HTTPTypes
internal import HummingbirdCore
internal import WorkerKit

/// A matched route that sends a message, with the parameters in the request's path.
struct MessageRoute: Sendable {
    let route: Route
    let message: MessageDescriptor
    let source: BodySource
    /// The percent-decoded parameters in the path.
    let parameters: [Parameter]
}

extension Gateway {
    /// Authenticates a request, reads its body, sends its message, and makes a response from the message's outcome.
    ///
    /// A `Problem` becomes the response; any other error is thrown and ends the connection.
    @concurrent func forward(
        _ match: MessageRoute, _ context: RequestContext, _ body: HTTPBody, _ writer: borrowing ResponseWriter
    ) async throws -> IngressResponse {
        var caller: Caller?
        var uploadDecisions: [RateDecision] = []
        let limit = match.route.limit
        do {
            guard !context.fields.isAmbiguous else {
                throw Problem(
                    .malformedRequest,
                    detail: "The fields Authorization, Content-Type and Idempotency-Key must each occur at most once.")
            }
            if match.message.needsCaller {
                caller = try authenticator.caller(of: context.fields.authorization)
            }
            var reservation: ByteReservation?
            var charges = limits.charges(limit, caller: caller, client: context.client)
            var request = OutgoingRequest(match.message, caller: caller, body: [], requestID: context.id)
            // Several accounts of one address do not have several shares.
            request.clients = [.address(context.client.rateLimitKey)]
            if let caller { request.clients.append(.account(caller.id)) }
            request.traceparent = context.trace.traceparent
            request.tracestate = context.trace.tracestate
            if match.message.kind == .command { try request.applyCommandFields(context.fields) }
            switch match.source {
            case .none:
                request.body = Self.emptyObject
            case .parameters(let types):
                let parameters = try Self.parameters(match, context)
                request.body = try parameters.json(types)
                let weight = RequestWeight.list(parameters, base: match.route.weight)
                charges = limits.charges(limit, caller: caller, client: context.client, weight: weight)
            case .json:
                let bytes = ByteReservation(in: bodies.jsonBudget, for: request.clients)
                request.body = try await bodies.json(context.fields, body, writer, bytes)
                reservation = bytes
            case .upload:
                // The upload is charged to its rate limits first, so that its body is not read if a limit refuses it.
                let weight = RequestWeight.upload(length: context.fields.contentLength, limit: bodies.uploadLimit)
                let exceedsShare: Bool
                (uploadDecisions, exceedsShare) = await bridge.chargeUpload(
                    limits.charges(limit, caller: caller, client: context.client, weight: weight), match.message,
                    of: request.clients, length: min(context.fields.contentLength ?? 0, bodies.uploadLimit))
                guard uploadDecisions.areAllowed else { return rateLimitedResponse(uploadDecisions, to: context) }
                guard !exceedsShare else { throw IngressResponse.shareExceeded }
                charges = RequestCharges()
                let bytes = ByteReservation(in: bodies.uploadBudget, for: request.clients)
                let file = try await bodies.upload(context.fields, body, writer, bytes)
                (request.body, request.contentType) = (file.bytes, file.contentType)
                reservation = bytes
            }
            let handoff = RequestHandoff(request, reservation: reservation)
            // Only the handoff keeps the body, so that the body can be freed as soon as it is sent.
            request.body = []
            return await send(request, handoff, charges, uploadDecisions, context)
        } catch let problem as Problem {
            var response: IngressResponse
            if uploadDecisions.isEmpty {
                let charged = Self.isBudgetRefusal(problem) ? .general : limit
                response = await problemResponse(problem, to: context, limit: charged, caller: caller)
            } else {
                response = .problem(problem, traceID: context.trace.traceID)
                response.rateDecisions = uploadDecisions
            }
            if response.status == 415, context.fields.contentEncoding != nil {
                response.fields.append(HTTPField(name: .acceptEncoding, value: "identity"))
            }
            response.messageType = match.message.name
            return response
        }
    }

    /// Whether the body budget refused the request. The credential limit does not count such a request, because no
    /// password was checked.
    private static func isBudgetRefusal(_ problem: Problem) -> Bool {
        problem.code == .unavailable || problem.code == .tooManyRequests
    }

    private static let emptyObject = Array("{}".utf8)

    private static func parameters(_ match: MessageRoute, _ context: RequestContext) throws(Problem) -> [Parameter] {
        try match.parameters + QueryString.parse(context.query)
    }

    private func send(
        _ request: OutgoingRequest, _ handoff: RequestHandoff, _ charges: RequestCharges,
        _ uploadDecisions: [RateDecision], _ context: RequestContext
    ) async -> IngressResponse {
        let result = await bridge.send(handoff, charges: charges)
        var response: IngressResponse
        if let refusal = result.refusal {
            response = .problem(refusal, traceID: context.trace.traceID)
            response.rateDecisions = uploadDecisions + result.decisions
        } else if let outcome = result.outcome {
            response = .outcome(outcome, of: request, traceID: context.trace.traceID)
            if context.method == .get || context.method == .head {
                response = response.notModified(ifNoneMatch: context.fields.ifNoneMatch)
            }
            response.rateDecisions = uploadDecisions + result.decisions
        } else {
            response = rateLimitedResponse(result.decisions, to: context)
        }
        response.messageType = request.type.name
        response.reservation = result.reservation
        return response
    }
}
