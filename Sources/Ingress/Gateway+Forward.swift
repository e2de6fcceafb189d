internal import Contracts
internal import HTTPTypes
internal import HummingbirdCore
internal import WorkerKit

/// A request that becomes a message.
struct Carriage: Sendable {
    let route: Route
    let message: MessageDescriptor
    let source: BodySource
    let parameters: [Parameter]
}

extension Gateway {
    /// Checks what is HTTP, sends the message and answers what became of it.
    @concurrent func carry(
        _ carriage: Carriage, _ incoming: IncomingRequest, _ body: HTTPBody, _ writer: borrowing ResponseWriter,
        _ peer: Peer
    ) async throws -> Outcome {
        var caller: Caller?
        var before: [RateDecision] = []
        let limit = carriage.route.limit
        do {
            guard !incoming.fields.isAmbiguous else {
                throw Problem(.malformedRequest, detail: "A header that counts once is there twice.")
            }
            if carriage.message.needsSubject {
                caller = try authenticator.caller(of: incoming.fields.authorization)
            }
            let client = caller.map { BodyBudget.Client.account($0.id) } ?? .address(peer.rateKey)
            var share: BodyShare?
            var charges = limits.charges(limit, caller: caller, address: peer)
            var request = OutgoingRequest(
                carriage.message, caller: caller, body: [], requestID: incoming.id)
            request.traceparent = incoming.trace.traceparent
            request.tracestate = incoming.trace.tracestate
            if carriage.message.kind == .command { try Self.applyFields(incoming.fields, caller, to: &request) }
            switch carriage.source {
            case .none:
                request.body = Self.emptyObject
            case .parameters(let types):
                request.body = try Self.parameters(carriage, incoming).json(types)
            case .json:
                let room = BodyShare(of: bodies.jsonBudget, for: client)
                request.body = try await bodies.json(incoming.fields, body, writer, room)
                share = room
            case .upload:
                // Before megabytes are read, not after.
                before = await exchange.charge(charges)
                guard before.areAllowed else { return limited(before, incoming) }
                charges = []
                let room = BodyShare(of: bodies.uploadBudget, for: client)
                let file = try await bodies.upload(incoming.fields, body, writer, room)
                (request.body, request.contentType) = (file.bytes, file.contentType)
                share = room
            }
            let parcel = RequestParcel(request, room: share)
            // Only the parcel has it, until it is sent.
            request.body = []
            return await send(request, parcel, charges, before, incoming)
        } catch let problem as Problem {
            var outcome =
                before.isEmpty
                ? await refuse(
                    problem, incoming, limit: Self.isOfRoom(problem) ? .general : limit, caller: caller, peer: peer)
                : Outcome(answer: .problem(problem, traceID: incoming.trace.traceID), decisions: before)
            if outcome.answer.status == 415, incoming.fields.contentEncoding != nil {
                outcome.answer.fields.append(HTTPField(name: .acceptEncoding, value: "identity"))
            }
            outcome.messageType = carriage.message.name
            return outcome
        }
    }

    /// Whether there was no room for the body: then nothing was tried that a stricter limit counts.
    private static func isOfRoom(_ problem: Problem) -> Bool {
        problem.code == .unavailable || problem.code == .tooManyRequests
    }

    /// What a client may ask of a command: that it happens once however often it is sent, and not to wait for it.
    private static func applyFields(
        _ fields: RequestFields, _ caller: Caller?, to request: inout OutgoingRequest
    ) throws(Problem) {
        if let key = fields.idempotencyKey, let caller { request.id = try IdempotencyKey.messageID(key, of: caller) }
        request.awaitsReply = !Preferences(fields.prefer).respondsAsync
    }

    private static let emptyObject = Array("{}".utf8)

    private static func parameters(_ carriage: Carriage, _ incoming: IncomingRequest) throws(Problem) -> [Parameter] {
        guard let query = Query.parse(incoming.query) else {
            throw Problem(.malformedRequest, detail: "The query is not percent-encoded UTF-8.")
        }
        return carriage.parameters + query
    }

    private func send(
        _ request: OutgoingRequest, _ parcel: RequestParcel, _ charges: [RateCharge], _ before: [RateDecision],
        _ incoming: IncomingRequest
    ) async -> Outcome {
        let result = await exchange.send(parcel, charges: charges)
        guard let end = result.outcome else {
            var outcome = limited(result.decisions, incoming)
            outcome.messageType = request.message.name
            return outcome
        }
        var answer = Answer.outcome(end, of: request, traceID: incoming.trace.traceID)
        if incoming.method == .get || incoming.method == .head {
            answer = answer.unlessKnown(incoming.fields.ifNoneMatch)
        }
        return Outcome(answer: answer, decisions: before + result.decisions, messageType: request.message.name)
    }
}
