/// What a rate limit says of one request.
package struct RateDecision: Sendable, Hashable {
    /// The limit that said it.
    package let limit: RateLimit
    /// Whether the request may go on.
    package let isAllowed: Bool
    /// How much time is paid for already, in microseconds from now; with this request where it may go on.
    package let ahead: Int64

    /// Makes a decision of its parts.
    package init(limit: RateLimit, isAllowed: Bool, ahead: Int64) {
        self.limit = limit
        self.isAllowed = isAllowed
        self.ahead = ahead
    }

    /// How many more requests may come at once now.
    package var remaining: Int {
        isAllowed ? Int(max(0, (limit.tolerance - ahead) / limit.interval)) : 0
    }

    /// Whole seconds after which one more request may come; never 0.
    package var retryAfter: Int {
        Self.wholeSeconds(max(1, ahead + limit.interval - limit.tolerance))
    }

    /// Whole seconds until the limit is as if nothing had come.
    package var reset: Int { Self.wholeSeconds(max(0, ahead)) }

    private static func wholeSeconds(_ microseconds: Int64) -> Int { Int((microseconds + 999_999) / 1_000_000) }
}

extension [RateDecision] {
    /// Whether every limit lets the request go on.
    package var areAllowed: Bool { allSatisfy(\.isAllowed) }

    /// Seconds after which none of the limits refuses.
    package var retryAfter: Int { filter { !$0.isAllowed }.map(\.retryAfter).max() ?? 1 }
}
