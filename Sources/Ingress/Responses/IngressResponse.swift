internal import Contracts
internal import HTTPTypes
internal import WorkerKit

/// The response to one request, without the fields that every response has (see ``ResponseHeadBuilder``).
struct IngressResponse: Sendable {
    let status: Int
    /// The fields that are specific to this response.
    var fields: HTTPFields = [:]
    var body: [UInt8] = []
    /// The body in the gzip format, if it was compressed in advance.
    var gzippedBody: [UInt8]?
    /// The `Content-Security-Policy` of a page that needs another one than ``SecurityFields`` has.
    var contentSecurityPolicy: String?
    /// The bytes of the budget that are reserved for a large body until the response is sent.
    var reservation: ByteReservation?
    /// The decisions of the rate limits that the request was charged to.
    var rateDecisions: [RateDecision] = []
    /// The type of the message that was sent for the request; `nil` if its route sends no message. Only for the log.
    var messageType: String?
    /// The cause of an `unavailable` or `internal` response. Only for the log.
    var logReason: String?
}

extension IngressResponse {
    private static let noStore = HTTPField(name: .cacheControl, value: "no-store")
    private static let revalidate = HTTPField(name: .cacheControl, value: "private, no-cache")
    private static let jsonType = HTTPField(name: .contentType, value: ContentType.json)
    private static let problemType = HTTPField(name: .contentType, value: ContentType.problem)
    private static let bearer = HTTPField(name: .wwwAuthenticate, value: "Bearer")
    private static let invalidBearer = HTTPField(name: .wwwAuthenticate, value: "Bearer error=\"invalid_token\"")

    /// Makes a response with a JSON body.
    static func json(_ body: [UInt8], status: Int = 200) -> IngressResponse {
        IngressResponse(status: status, fields: HTTPFields([jsonType, noStore]), body: body)
    }

    /// Makes a response with a problem document (RFC 9457).
    static func problem(_ problem: Problem, traceID: String) -> IngressResponse {
        var fields = HTTPFields([problemType, noStore])
        if problem.status == 401 { fields.append(problem.code == .invalidToken ? invalidBearer : bearer) }
        if let seconds = problem.retryAfter { fields.append(HTTPField(name: .retryAfter, value: String(seconds))) }
        return IngressResponse(status: problem.status, fields: fields, body: problem.body(traceId: traceID))
    }

    /// Makes a response from a worker's reply. The status and the body are passed through unchanged.
    ///
    /// A worker that is in hostile hands must not be able to choose the header fields of a response. A reply that the
    /// contract of the message type does not allow becomes the problem `internal`.
    static func reply(_ reply: Reply, to type: MessageDescriptor, traceID: String) -> IngressResponse {
        guard reply.isAllowed(for: type) else {
            var response = IngressResponse.problem(Problem(.internal), traceID: traceID)
            response.logReason = "the reply of the worker violates the contract of the message type"
            return response
        }
        var fields = HTTPFields()
        fields.reserveCapacity(5)
        if let type = reply.contentType, !reply.body.isEmpty {
            fields.append(type == ContentType.json ? jsonType : HTTPField(name: .contentType, value: type))
        }
        fields.append(reply.etag == nil ? noStore : revalidate)
        if let etag = reply.etag { fields.append(HTTPField(name: .eTag, value: etag)) }
        if let location = reply.location { fields.append(HTTPField(name: .location, value: location)) }
        if let seconds = reply.retryAfter { fields.append(HTTPField(name: .retryAfter, value: String(seconds))) }
        if reply.status == 401 { fields.append(bearer) }
        return IngressResponse(status: reply.status, fields: fields, body: reply.body)
    }
}
