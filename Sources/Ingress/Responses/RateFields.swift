internal import HTTPTypes
internal import WorkerKit

/// The `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-10).
enum RateFields {
    /// Appends what the limits of a request say of it.
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
