package import Contracts

/// What a handler answers: an HTTP status and the body that goes with it.
package struct Reply: Sendable, Hashable {
    /// The HTTP status.
    package var status: Int
    /// The body's media type; nothing where there is no body.
    package var contentType: String?
    /// The `Location` of what was made.
    package var location: String?
    /// The entity tag of what is shown (RFC 9110, section 8.8.3), quotes included.
    package var etag: String?
    /// Seconds after which to try again.
    package var retryAfter: Int?
    /// The body's bytes.
    package var body: [UInt8]

    /// Makes a reply of its parts.
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

    /// A reply whose body is JSON already.
    package static func json(
        _ body: [UInt8], status: Int = 200, location: String? = nil, etag: String? = nil
    ) -> Reply {
        Reply(status: status, contentType: ContentType.json, location: location, etag: etag, body: body)
    }

    /// A reply without a body.
    package static var noContent: Reply { Reply(status: 204) }

    /// A problem as the reply that tells it (RFC 9457).
    ///
    /// - Parameter traceID: of the trace that the request belongs to, 32 hexadecimal digits.
    package static func problem(_ problem: Problem, traceID: String?) -> Reply {
        Reply(
            status: problem.status, contentType: ContentType.problem, retryAfter: problem.retryAfter,
            body: problem.body(traceId: traceID))
    }
}
