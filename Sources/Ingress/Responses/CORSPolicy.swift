internal import HTTPTypes

/// Which other origins' pages may read the answers (Fetch Standard, section 3.3); none until some are configured.
struct CORS: Sendable {
    private static let exposed = HTTPField(
        name: .accessControlExposeHeaders,
        value: "ETag, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id")
    private static let allowedFields = HTTPField(
        name: .accessControlAllowHeaders,
        value:
            "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer, Traceparent, Tracestate, X-Request-Id"
    )
    private static let maximumAge = HTTPField(name: .accessControlMaxAge, value: "600")
    private static let vary = HTTPField(name: .vary, value: "Origin")
    private static let anyOrigin = HTTPField(name: .accessControlAllowOrigin, value: "*")

    private let origins: Set<String>
    private let allowsAny: Bool

    /// Makes a rule of the origins let in, as `https://example.org`; `*` lets every origin in.
    init(origins: [String]) {
        self.origins = Set(origins)
        allowsAny = origins.contains("*")
    }

    /// Appends what an answer to a request from an origin says.
    func append(origin: String?, to fields: inout HTTPFields) {
        guard !origins.isEmpty else { return }
        if allowsAny {
            guard origin != nil else { return }
            fields.append(Self.anyOrigin)
        } else {
            fields.append(Self.vary)
            guard let origin, origins.contains(origin) else { return }
            fields.append(HTTPField(name: .accessControlAllowOrigin, value: origin))
        }
        fields.append(Self.exposed)
    }

    /// The answer to a preflight request; nothing where the request is none, or its origin is not let in.
    ///
    /// - Parameter allow: the methods that the path has.
    func preflight(method: HTTPRequest.Method, fields: RequestFields, allow: String) -> Answer? {
        guard method == .options, fields.asksMethod, let origin = fields.origin, allowsAny || origins.contains(origin)
        else { return nil }
        return Answer(
            status: 204,
            fields: HTTPFields([
                HTTPField(name: .accessControlAllowMethods, value: allow), Self.allowedFields, Self.maximumAge,
            ]))
    }
}
