internal import Contracts
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
        let limit = carriage.route.limit
        do {
            guard !incoming.fields.isAmbiguous else {
                throw Problem(.malformedRequest, detail: "A header that counts once is there twice.")
            }
            if carriage.message.needsSubject {
                caller = try authenticator.caller(of: incoming.fields.authorization)
            }
            var charges = limits.charges(limit, caller: caller, address: peer)
            var request = OutgoingRequest(
                carriage.message, caller: caller, body: [], requestID: incoming.id)
            request.traceparent = incoming.trace.traceparent
            request.tracestate = incoming.trace.tracestate
            var before: [RateDecision] = []
            switch carriage.source {
            case .none:
                request.body = Self.emptyObject
            case .parameters(let types):
                request.body = try Self.parameters(carriage, incoming).json(types)
            case .json:
                request.body = try await bodies.json(incoming.fields, body, writer)
            case .upload:
                // Before megabytes are read, not after.
                before = await exchange.charge(charges)
                guard before.areAllowed else { return limited(before, incoming) }
                charges = []
                let file = try await bodies.upload(incoming.fields, body, writer)
                (request.body, request.contentType) = (file.bytes, file.contentType)
            }
            return await send(request, charges, before, incoming)
        } catch let problem as Problem {
            var outcome = await refuse(problem, incoming, limit: limit, caller: caller, peer: peer)
            outcome.messageType = carriage.message.name
            return outcome
        }
    }

    private static let emptyObject = Array("{}".utf8)

    private static func parameters(_ carriage: Carriage, _ incoming: IncomingRequest) throws(Problem) -> [Parameter] {
        guard let query = Query.parse(incoming.query) else {
            throw Problem(.malformedRequest, detail: "The query is not percent-encoded UTF-8.")
        }
        return carriage.parameters + query
    }

    private func send(
        _ request: OutgoingRequest, _ charges: [RateCharge], _ before: [RateDecision], _ incoming: IncomingRequest
    ) async -> Outcome {
        let result = await exchange.send(request, charges: charges)
        guard let end = result.outcome else {
            var outcome = limited(result.decisions, incoming)
            outcome.messageType = request.message.name
            return outcome
        }
        return Outcome(
            answer: .outcome(end, of: request, traceID: incoming.trace.traceID),
            decisions: before + result.decisions, messageType: request.message.name)
    }
}
