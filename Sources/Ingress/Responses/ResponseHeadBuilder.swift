internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import WorkerKit

/// Builds the head of a response from an ``IngressResponse`` and the fields that every response has.
struct ResponseHeadBuilder: Sendable {
    private let cors: CORSPolicy
    private let date = HTTPDateCache()

    init(cors: CORSPolicy) {
        self.cors = cors
    }

    /// Returns the head of a response.
    ///
    /// - Parameters:
    ///   - response: the response without the common fields.
    ///   - requestID: the request's id, sent as `X-Request-Id`.
    ///   - origin: the request's `Origin` field.
    ///   - closes: whether the connection is closed after the response.
    func head(
        of response: IngressResponse, requestID: String, origin: String? = nil, closes: Bool = false
    ) -> HTTPResponse {
        var fields = SecurityFields.all
        fields.reserveCapacity(28)
        fields.append(HTTPField(name: .date, value: date.now))
        fields.append(HTTPField(name: .requestID, value: requestID))
        RateLimitFields.append(response.rateDecisions, to: &fields)
        cors.append(origin: origin, to: &fields)
        for field in response.fields { fields.append(field) }
        if response.status != 204 && response.status != 304 {
            fields.append(HTTPField(name: .contentLength, value: String(response.body.count)))
        }
        if closes { fields.append(HTTPField(name: .connection, value: "close")) }
        return HTTPResponse(status: Self.status(response.status), headerFields: fields)
    }

    private static func status(_ code: Int) -> HTTPResponse.Status {
        HTTPResponse.Status(code: code, reasonPhrase: HTTPResponseStatus(statusCode: code).reasonPhrase)
    }
}
