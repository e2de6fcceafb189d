internal import HTTPTypes

/// The origins whose pages may read responses (CORS, Fetch Standard, section 3.3). By default there are none.
struct CORSPolicy: Sendable {
    private static let exposed = HTTPField(
        name: .accessControlExposeHeaders,
        value: "ETag, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id")
    private static let allowedFields = HTTPField(
        name: .accessControlAllowHeaders,
        value:
            "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Traceparent, Tracestate, "
            + "X-Request-Id")
    private static let maximumAge = HTTPField(name: .accessControlMaxAge, value: "600")
    private static let vary = HTTPField(name: .vary, value: "Origin")
    private static let anyOrigin = HTTPField(name: .accessControlAllowOrigin, value: "*")

    private let origins: Set<String>
    private let allowsAny: Bool

    /// - Parameter origins: the allowed origins, such as `https://example.org`; `*` allows every origin.
    init(origins: [String]) {
        self.origins = Set(origins)
        allowsAny = origins.contains("*")
    }

    /// Returns the CORS fields of a response.
    ///
    /// - Parameter origin: the request's `Origin` field.
    func fields(for origin: String?) -> [HTTPField] {
        guard !origins.isEmpty else { return [] }
        if allowsAny { return origin == nil ? [] : [Self.anyOrigin, Self.exposed] }
        guard let origin, origins.contains(origin) else { return [Self.vary] }
        return [Self.vary, HTTPField(name: .accessControlAllowOrigin, value: origin), Self.exposed]
    }

    /// Returns the response to an OPTIONS request that is a preflight request; `nil` if it is none, or if its origin is
    /// not allowed.
    ///
    /// - Parameter allow: the methods of the path, as in the `Allow` field.
    func preflight(fields: RequestFields, allow: String) -> IngressResponse? {
        guard fields.hasAccessControlRequestMethod, let origin = fields.origin,
            allowsAny || origins.contains(origin)
        else { return nil }
        return IngressResponse(
            status: 204,
            fields: HTTPFields([
                HTTPField(name: .accessControlAllowMethods, value: allow), Self.allowedFields, Self.maximumAge,
            ]))
    }
}
