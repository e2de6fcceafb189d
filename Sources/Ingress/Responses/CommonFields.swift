internal import HTTPTypes
internal import WorkerKit

extension HTTPField.Name {
    static let requestID = constant("X-Request-Id")
    static let preferenceApplied = constant("Preference-Applied")
    static let rateLimit = constant("RateLimit")
    static let rateLimitPolicy = constant("RateLimit-Policy")

    /// Makes a field name from a string literal; traps if the literal is not a valid field name.
    static func constant(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a valid field name") }
        return name
    }
}

/// The security fields of every response. They are the fields that the helmet middleware for Node.js sets, with values
/// for an API that serves no pages.
enum SecurityFields {
    static let all: HTTPFields = HTTPFields(
        [
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Origin-Agent-Cluster", "?1"),
            ("Referrer-Policy", "no-referrer"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-DNS-Prefetch-Control", "off"),
            ("X-Download-Options", "noopen"),
            ("X-Frame-Options", "DENY"),
            ("X-Permitted-Cross-Domain-Policies", "none"),
            ("X-XSS-Protection", "0"),
        ].map { HTTPField(name: .constant($0.0), value: $0.1) })
}

/// The `RateLimit` and `RateLimit-Policy` fields (draft-ietf-httpapi-ratelimit-headers-10).
enum RateLimitFields {
    /// Appends the state and the policy of each rate limit that the request was charged to.
    static func append(_ decisions: [RateDecision], to fields: inout HTTPFields) {
        guard let first = decisions.first else { return }
        var state = state(first)
        var policy = first.limit.policy
        for decision in decisions.dropFirst() {
            state += ", \(Self.state(decision))"
            policy += ", \(decision.limit.policy)"
        }
        fields.append(HTTPField(name: .rateLimit, value: state))
        fields.append(HTTPField(name: .rateLimitPolicy, value: policy))
    }

    private static func state(_ decision: RateDecision) -> String {
        let wait = decision.isAllowed ? decision.reset : decision.retryAfter
        return "\"\(decision.limit.name)\";r=\(decision.remaining);t=\(wait)"
    }
}
