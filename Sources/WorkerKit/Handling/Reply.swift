package import Contracts

/// The reply to a request: an HTTP status, a body and some header fields.
package struct Reply: Sendable, Hashable {
    /// The HTTP status.
    package var status: Int
    /// The body's media type; `nil` without a body.
    package var contentType: String?
    /// The HTTP path of the entity that the request has created, for the header field `Location`.
    package var location: String?
    /// The entity tag of the body (RFC 9110, section 8.8.3), quotes included.
    package var etag: String?
    /// The number of seconds after which a retry can succeed.
    package var retryAfter: Int?
    /// The body's bytes.
    package var body: [UInt8]

    /// Makes a reply.
    package init(
        status: Int, contentType: String? = nil, location: String? = nil, etag: String? = nil,
        retryAfter: Int? = nil, body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.location = location
        self.etag = etag
        self.retryAfter = retryAfter
        self.body = body
    }

    /// Makes a reply with a JSON body.
    package static func json(
        _ body: [UInt8], status: Int = 200, location: String? = nil, etag: String? = nil
    ) -> Reply {
        Reply(status: status, contentType: ContentType.json, location: location, etag: etag, body: body)
    }

    /// A reply without a body.
    package static var noContent: Reply { Reply(status: 204) }

    /// Makes a reply whose body is a problem document (RFC 9457).
    ///
    /// - Parameter traceID: the id of the request's trace, 32 hexadecimal digits.
    package static func problem(_ problem: Problem, traceID: String?) -> Reply {
        Reply(
            status: problem.status, contentType: ContentType.problem, retryAfter: problem.retryAfter,
            body: problem.body(traceId: traceID))
    }
}
