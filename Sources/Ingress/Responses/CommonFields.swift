internal import HTTPTypes
internal import NIOCore
internal import WorkerKit

extension HTTPField.Name {
    static let acceptPatch = constant("Accept-Patch")
    static let preferenceApplied = constant("Preference-Applied")

    /// Makes a field name from a string literal; traps if the literal is not a valid field name.
    static func constant(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a valid field name") }
        return name
    }
}

/// The security fields of every response. They are the fields that the helmet middleware for Node.js sets, with values
/// for an API that serves no pages.
enum SecurityFields {
    /// The fields as they are sent, each with its line end, if the response has no policy of its own.
    static let bytes = Array("Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n".utf8) + others

    /// The fields without `Content-Security-Policy`.
    static let others = Array(
        """
        Cross-Origin-Opener-Policy: same-origin\r
        Cross-Origin-Resource-Policy: same-origin\r
        Origin-Agent-Cluster: ?1\r
        Referrer-Policy: no-referrer\r
        Strict-Transport-Security: max-age=31536000; includeSubDomains\r
        X-Content-Type-Options: nosniff\r
        X-DNS-Prefetch-Control: off\r
        X-Download-Options: noopen\r
        X-Frame-Options: DENY\r
        X-Permitted-Cross-Domain-Policies: none\r
        X-XSS-Protection: 0\r

        """.utf8)
}

/// The `RateLimit` and `RateLimit-Policy` fields (draft-ietf-httpapi-ratelimit-headers-10).
enum RateLimitFields {
    /// Writes the state and the policy of each rate limit that the request was charged to.
    static func write(_ decisions: [RateDecision], to buffer: inout ByteBuffer) {
        guard !decisions.isEmpty else { return }
        buffer.writeStaticString("RateLimit: ")
        for (index, decision) in decisions.enumerated() {
            if index > 0 { buffer.writeStaticString(", ") }
            buffer.writeString(state(decision))
        }
        buffer.writeStaticString("\r\nRateLimit-Policy: ")
        for (index, decision) in decisions.enumerated() {
            if index > 0 { buffer.writeStaticString(", ") }
            buffer.writeString(decision.limit.policy)
        }
        buffer.writeStaticString("\r\n")
    }

    private static func state(_ decision: RateDecision) -> String {
        let wait = decision.isAllowed ? decision.reset : decision.retryAfter
        return "\"\(decision.limit.name)\";r=\(decision.remaining);t=\(wait)"
    }
}
