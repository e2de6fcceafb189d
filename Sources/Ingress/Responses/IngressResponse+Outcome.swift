internal import Contracts
internal import FoundationEssentials
internal import HTTPTypes
internal import WorkerKit

extension IngressResponse {
    /// Makes the response to the outcome of a message.
    ///
    /// - Parameters:
    ///   - outcome: the reply, or why there is none.
    ///   - request: the message.
    ///   - traceID: the trace id, which the body of a problem contains.
    ///   - receipts: makes the token in the path of the receipt of an accepted command.
    static func outcome(
        _ outcome: RequestOutcome, of request: OutgoingRequest, traceID: String, receipts: ReceiptTokens
    ) -> IngressResponse {
        switch outcome {
        case .reply(let reply):
            return .reply(reply, to: request.type, traceID: traceID)
        case .unavailable(let reason):
            var response = IngressResponse.problem(Problem(.unavailable), traceID: traceID)
            response.logReason = reason
            return response
        case .shareExceeded:
            return .problem(shareExceeded, traceID: traceID)
        case .accepted:
            var response = IngressResponse.json(acceptedReceipt(request.id), status: 202)
            let token = receipts.token(for: request, acceptedAt: .now())
            let path = RouteTable.receiptPath(token, request.type.service)
            response.fields.append(HTTPField(name: .location, value: path))
            if !request.awaitsReply { response.fields.append(respondAsyncApplied) }
            return response
        case .deadlineExceeded:
            return .problem(Problem(.deadlineExceeded), traceID: traceID)
        case .outcomeUnknown:
            return .problem(.outcomeUnknown, traceID: traceID)
        }
    }

    /// The client already occupies its share of the queue.
    static let shareExceeded = Problem(
        .tooManyRequests, detail: "Too many requests of this client wait to be carried out.", retryAfter: 10)

    private static let respondAsyncApplied = HTTPField(name: .preferenceApplied, value: "respond-async")

    private static func acceptedReceipt(_ id: UUID) -> [UInt8] {
        JSONWriter.bytes(capacity: 96) { writer in
            writer.object { writer in
                writer.name("id")
                writer.uuid(id)
                writer.name("status")
                writer.string("accepted")
            }
        }
    }
}
