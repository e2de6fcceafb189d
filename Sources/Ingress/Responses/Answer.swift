internal import Contracts
internal import HTTPTypes
internal import WorkerKit

/// What a client is answered, before the fields that every answer has.
struct Answer: Sendable {
    let status: Int
    /// The fields that belong to this answer.
    var fields: HTTPFields = [:]
    var body: [UInt8] = []
    /// What the log says beside the status, where there is something to say.
    var reason: String?
}

extension Answer {
    private static let noStore = HTTPField(name: .cacheControl, value: "no-store")
    private static let revalidate = HTTPField(name: .cacheControl, value: "private, no-cache")
    private static let jsonType = HTTPField(name: .contentType, value: ContentType.json)
    private static let problemType = HTTPField(name: .contentType, value: ContentType.problem)
    private static let bearer = HTTPField(name: .wwwAuthenticate, value: "Bearer")
    private static let invalidBearer = HTTPField(name: .wwwAuthenticate, value: "Bearer error=\"invalid_token\"")

    /// A JSON document.
    static func json(_ body: [UInt8], status: Int = 200) -> Answer {
        Answer(status: status, fields: HTTPFields([jsonType, noStore]), body: body)
    }

    /// A problem (RFC 9457).
    static func problem(_ problem: Problem, traceID: String) -> Answer {
        var fields = HTTPFields([problemType, noStore])
        if problem.status == 401 { fields.append(problem.code == .invalidToken ? invalidBearer : bearer) }
        if let seconds = problem.retryAfter { fields.append(HTTPField(name: .retryAfter, value: String(seconds))) }
        return Answer(status: problem.status, fields: fields, body: problem.body(traceId: traceID))
    }

    /// A service's reply, written through.
    static func reply(_ reply: Reply) -> Answer {
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
        return Answer(status: reply.status, fields: fields, body: reply.body)
    }

    /// The answer to a client that may have it already: 304 where it does (RFC 9110, section 15.4.5).
    ///
    /// - Parameter tags: the request's `If-None-Match`.
    func unlessKnown(_ tags: String?) -> Answer {
        guard status == 200, let tags, let tag = fields[.eTag], EntityTags.names(tags, tag) else { return self }
        return Answer(status: 304, fields: fields.filter { $0.name == .eTag || $0.name == .cacheControl })
    }
}
