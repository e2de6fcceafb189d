/// The decision of a rate limit about one request.
package struct RateDecision: Sendable, Hashable {
    /// The limit.
    package let limit: RateLimit
    /// Whether the request is allowed.
    package let isAllowed: Bool
    /// How far the paid time is ahead of the clock, in microseconds, including this request if it is allowed.
    package let ahead: Int64

    /// Makes a decision of its parts.
    package init(limit: RateLimit, isAllowed: Bool, ahead: Int64) {
        self.limit = limit
        self.isAllowed = isAllowed
        self.ahead = ahead
    }

    /// The number of further requests that are allowed now.
    package var remaining: Int {
        isAllowed ? Int(max(0, (limit.tolerance - ahead) / limit.interval)) : 0
    }

    /// The whole seconds after which one more request is allowed; at least 1.
    package var retryAfter: Int {
        Self.wholeSeconds(max(1, ahead + limit.interval - limit.tolerance))
    }

    /// The whole seconds until the full burst is available again.
    package var reset: Int { Self.wholeSeconds(max(0, ahead)) }

    private static func wholeSeconds(_ microseconds: Int64) -> Int { Int((microseconds + 999_999) / 1_000_000) }
}

extension [RateDecision] {
    /// Whether every limit allows the request.
    package var areAllowed: Bool { allSatisfy(\.isAllowed) }

    /// The whole seconds after which every limit allows the request.
    package var retryAfter: Int { filter { !$0.isAllowed }.map(\.retryAfter).max() ?? 1 }
}
