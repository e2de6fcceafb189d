internal import Contracts
internal import FoundationEssentials
internal import HTTPTypes
internal import WorkerKit

extension Answer {
    /// What became of a message, as HTTP says it.
    ///
    /// - Parameters:
    ///   - outcome: what became of it.
    ///   - request: the message; by its id an accepted command can be asked after.
    ///   - traceID: for the problem's body.
    static func outcome(_ outcome: RequestOutcome, of request: OutgoingRequest, traceID: String) -> Answer {
        switch outcome {
        case .reply(let reply):
            return .reply(reply)
        case .unavailable(let reason):
            var answer = Answer.problem(Problem(.unavailable), traceID: traceID)
            answer.reason = reason
            return answer
        case .accepted:
            var answer = Answer.json(accepted(request.id), status: 202)
            answer.fields.append(HTTPField(name: .location, value: RouteTable.receipt(of: request)))
            if !request.awaitsReply { answer.fields.append(respondsAsync) }
            return answer
        case .deadlineExceeded:
            return .problem(Problem(.deadlineExceeded), traceID: traceID)
        case .outcomeUnknown:
            let detail =
                "Whether it is carried out is not known. Sent again with the same Idempotency-Key, it happens once."
            return .problem(Problem(.deadlineExceeded, detail: detail), traceID: traceID)
        }
    }

    private static let respondsAsync = HTTPField(name: .preferenceApplied, value: "respond-async")

    private static func accepted(_ id: UUID) -> [UInt8] {
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
