internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import WorkerKit

/// Makes responses of answers: adds the fields that all of them have.
struct ResponseMaker: Sendable {
    private let cors: CORS
    private let date = HTTPDate()

    init(cors: CORS) {
        self.cors = cors
    }

    /// Makes a response's head.
    ///
    /// - Parameters:
    ///   - answer: what is answered.
    ///   - requestID: the request's id.
    ///   - origin: the request's `Origin`.
    ///   - decisions: what the rate limits said of it.
    ///   - closes: whether the connection ends with it.
    func head(
        _ answer: Answer, requestID: String, origin: String? = nil, decisions: [RateDecision] = [], closes: Bool = false
    ) -> HTTPResponse {
        var fields = SecurityFields.all
        fields.reserveCapacity(28)
        fields.append(HTTPField(name: .date, value: date.now))
        fields.append(HTTPField(name: .requestID, value: requestID))
        RateFields.append(decisions, to: &fields)
        cors.append(origin: origin, to: &fields)
        for field in answer.fields { fields.append(field) }
        if answer.status != 204 && answer.status != 304 {
            fields.append(HTTPField(name: .contentLength, value: String(answer.body.count)))
        }
        if closes { fields.append(HTTPField(name: .connection, value: "close")) }
        return HTTPResponse(status: Self.status(answer.status), headerFields: fields)
    }

    private static func status(_ code: Int) -> HTTPResponse.Status {
        HTTPResponse.Status(code: code, reasonPhrase: HTTPResponseStatus(statusCode: code).reasonPhrase)
    }
}
