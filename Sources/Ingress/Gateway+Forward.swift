internal import Contracts
internal import HTTPTypes
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
    private static let emptyObject = Array("{}".utf8)

    /// Authenticates a request, and sends its message as soon as the message's body is complete.
    func forward(_ match: MessageRoute, _ exchange: HTTPExchange) {
        exchange.hasCredentials = match.message.kind == .credential
        var caller: Caller?
        let limit = match.route.limit
        do throws(Problem) {
            let context = exchange.context
            guard !context.fields.isAmbiguous else {
                throw Problem(
                    .malformedRequest,
                    detail: "The fields Authorization, Content-Type and Idempotency-Key must each occur at most once.")
            }
            if match.message.needsCaller { caller = try authenticator.caller(of: context.fields.authorization) }
            var request = OutgoingRequest(match.message, caller: caller, body: [], requestID: context.id)
            // Several accounts of one address do not have several shares.
            request.clients = [.address(context.client.rateLimitKey)]
            if let caller { request.clients.append(.account(caller.id)) }
            request.traceparent = context.trace.traceparent
            request.tracestate = context.trace.tracestate
            if match.message.kind == .command { try request.applyCommandFields(context.fields) }
            func charges(_ weight: Int = 1) -> RequestCharges {
                limits.charges(limit, caller: caller, client: context.client, weight: weight)
            }
            switch match.source {
            case .none:
                try checkConditions(match, context)
                request.body = Self.emptyObject
                send(HTTPExchange.PendingMessage(request: request, limit: limit, charges: charges()), exchange)
            case .parameters(let types):
                let parameters = try match.parameters + QueryString.parse(context.query)
                request.body = try parameters.json(types, entityTags: context.requiredTags(types))
                let weight = RequestWeight.list(parameters, base: match.route.weight)
                send(HTTPExchange.PendingMessage(request: request, limit: limit, charges: charges(weight)), exchange)
            case .receipt:
                request.body = try receiptRequest(match, caller)
                send(HTTPExchange.PendingMessage(request: request, limit: limit, charges: charges()), exchange)
            case .json, .jsonAndPath:
                let bytes = ByteReservation(in: bodies.jsonBudget, for: request.clients)
                exchange.message = HTTPExchange.PendingMessage(
                    request: request, limit: limit, charges: charges(), reservation: bytes)
                let body = try JSONBody(
                    context.fields, limit: bodies.json, bytes, adding: addedMembers(match, context))
                try checkConditions(match, context)
                exchange.body = body
                exchange.sendContinue()
            case .upload:
                try checkConditions(match, context)
                let weight = RequestWeight.upload(length: context.fields.contentLength, limit: bodies.upload)
                exchange.message = HTTPExchange.PendingMessage(
                    request: request, limit: limit, charges: RequestCharges())
                beginUpload(exchange, request, charges(weight))
            }
        } catch {
            exchange.message = nil
            refuse(
                exchange, error, limit: Self.isBudgetRefusal(error) ? .general : limit, caller: caller,
                messageType: match.message.name)
        }
    }

    /// Checks the conditions of a POST (RFC 9110, section 13.2.2). No worker checks them, because no path of a POST has
    /// an entity tag. The resource exists if the path also has a GET route.
    ///
    /// - Throws: `precondition-failed`, or the problems of ``EntityTags/required(by:)``.
    private func checkConditions(_ match: MessageRoute, _ context: RequestContext) throws(Problem) {
        let fields = context.fields
        guard fields.ifMatch != nil || fields.ifNoneMatch != nil, match.route.method != .get,
            !match.source.hasEntityTags
        else { return }
        var exists = false
        if case .route = routes.match(.get, context.path) { exists = true }
        if let field = fields.ifMatch {
            let tags = try EntityTags.required(by: field)
            guard exists, tags == nil else {
                throw Problem(.preconditionFailed, detail: "The resource has no entity tag that If-Match allows.")
            }
        }
        if exists, let field = fields.ifNoneMatch, EntityTags.isAny(field) {
            throw Problem(.preconditionFailed, detail: "The resource exists, and If-None-Match is *.")
        }
    }

    /// Returns the members that the request adds to its JSON body; `nil` if it adds none.
    private func addedMembers(_ match: MessageRoute, _ context: RequestContext) throws(Problem) -> AddedMembers? {
        guard case .jsonAndPath(let types) = match.source else { return nil }
        return AddedMembers(
            parameters: match.parameters, types: types, entityTags: try context.requiredTags(types))
    }

    /// Returns the body of the query for a receipt.
    ///
    /// - Throws: `receipt-not-found` if the token in the path was not given to this caller.
    private func receiptRequest(_ match: MessageRoute, _ caller: Caller?) throws(Problem) -> [UInt8] {
        let token = match.parameters.first?.value ?? ""
        guard let receipt = receipts.content(of: token, service: match.message.service, caller: caller) else {
            throw Problem(.receiptNotFound)
        }
        return ReceiptRequest(id: receipt.id, acceptedAt: receipt.acceptedAt).jsonBytes()
    }

    /// Charges an upload to its rate limits before its body is read, so that the body is not read if a limit refuses
    /// it.
    private func beginUpload(_ exchange: HTTPExchange, _ request: OutgoingRequest, _ charges: RequestCharges) {
        let fields = exchange.context.fields
        exchange.isHeld = true
        bridge.chargeUpload(
            charges, request.type, of: request.clients, length: min(fields.contentLength ?? 0, bodies.upload),
            decided: exchange.onEventLoop { [self] exchange, result in
                // The client may have left meanwhile.
                guard exchange.message != nil else { return }
                exchange.message?.uploadDecisions = result.decisions
                defer { exchange.resume() }
                guard result.decisions.areAllowed else {
                    return respond(exchange, rateLimitedResponse(result.decisions, to: exchange.context))
                }
                do throws(Problem) {
                    guard !result.exceedsShare else { throw IngressResponse.shareExceeded }
                    let bytes = ByteReservation(in: bodies.uploadBudget, for: request.clients)
                    exchange.message?.reservation = bytes
                    exchange.body = try UploadBody(fields, fileLimit: bodies.upload, bytes)
                    exchange.sendContinue()
                } catch {
                    refuseBody(exchange, error)
                }
            })
    }

    /// Responds with a problem of the request's body. An upload was charged to its rate limits before.
    func refuseBody(_ exchange: HTTPExchange, _ problem: Problem) {
        exchange.body = nil
        guard let message = exchange.message else { return }
        exchange.message = nil
        let request = message.request
        guard message.uploadDecisions.isEmpty else {
            var response = IngressResponse.problem(problem, traceID: exchange.context.trace.traceID)
            response.rateDecisions = message.uploadDecisions
            response.addAcceptedForms(to: exchange.context)
            response.messageType = request.type.name
            return respond(exchange, response)
        }
        refuse(
            exchange, problem, limit: Self.isBudgetRefusal(problem) ? .general : message.limit,
            caller: request.caller, messageType: request.type.name)
    }

    /// Whether the body budget refused the request. The credential limit does not count such a request, because no
    /// password was checked.
    private static func isBudgetRefusal(_ problem: Problem) -> Bool {
        problem.code == .unavailable || problem.code == .tooManyRequests
    }

    /// Sends the message of a request whose body is complete.
    func send(_ body: MessageBody, _ exchange: HTTPExchange) {
        guard var message = exchange.message else { return }
        exchange.message = nil
        message.request.body = body.bytes
        message.request.contentType = body.contentType
        message.request.description = body.description
        send(message, exchange)
    }

    private func send(_ message: HTTPExchange.PendingMessage, _ exchange: HTTPExchange) {
        let uploadDecisions = message.uploadDecisions
        bridge.send(
            message.request, charges: message.charges, reservation: message.reservation,
            completed: exchange.onEventLoop { [self] exchange, result in
                respond(exchange, response(to: exchange.context, result, uploadDecisions))
            })
    }

    private func response(
        to context: RequestContext, _ result: LoopBridge.SendResult, _ uploadDecisions: [RateDecision]
    ) -> IngressResponse {
        var response: IngressResponse
        if let refusal = result.refusal {
            response = .problem(refusal, traceID: context.trace.traceID)
        } else if let outcome = result.outcome {
            response = .outcome(outcome, of: result.request, traceID: context.trace.traceID, receipts: receipts)
        } else {
            response = .problem(
                Problem(.tooManyRequests, retryAfter: result.decisions.retryAfter), traceID: context.trace.traceID)
        }
        response.rateDecisions = uploadDecisions.isEmpty ? result.decisions : uploadDecisions + result.decisions
        response.messageType = result.request.type.name
        response.reservation = result.reservation
        return response
    }
}

extension RequestContext {
    /// Returns the entity tags that the request requires; `nil` if every tag is allowed, or if the message has no field
    /// for them.
    ///
    /// `If-None-Match: *` requires that the resource does not exist. No tag fulfils that, so the list is empty, and the
    /// worker refuses the request.
    ///
    /// - Throws: `unsupported-condition` for tags in `If-None-Match`, which no message can express; the problems of
    ///   ``EntityTags/required(by:)``.
    fileprivate func requiredTags(_ types: ParameterTypes) throws(Problem) -> [String]? {
        guard types.hasEntityTags else { return nil }
        let required = try fields.ifMatch.flatMap(EntityTags.required)
        guard let field = fields.ifNoneMatch else { return required }
        guard EntityTags.isAny(field) else {
            throw Problem(
                .unsupportedCondition,
                detail: "If-None-Match must be * for a change or a deletion. If-Match names the version that is meant.")
        }
        return []
    }
}
