/// The decision of one rate limit about one request.
package struct RateDecision: Sendable, Hashable {
    /// The limit.
    package let limit: RateLimit
    /// Whether the request is allowed.
    package let isAllowed: Bool
    /// The time by which the stored time of the request's key is ahead of the clock, in microseconds (see
    /// ``RateLimit``). It includes this request if the request was charged.
    package let ahead: Int64
    /// The time by which the request advances the stored time if it is allowed, in microseconds.
    private let cost: Int64

    /// Makes a decision.
    ///
    /// - Parameter cost: by default the cost of a request with the weight 1.
    package init(limit: RateLimit, isAllowed: Bool, ahead: Int64, cost: Int64? = nil) {
        self.limit = limit
        self.isAllowed = isAllowed
        self.ahead = ahead
        self.cost = cost ?? limit.interval
    }

    /// The number of further requests that are allowed now.
    package var remaining: Int {
        isAllowed ? Int(max(0, (limit.tolerance - ahead) / limit.interval)) : 0
    }

    /// The number of whole seconds after which the request is allowed, at least 1.
    package var retryAfter: Int {
        Self.wholeSeconds(max(1, ahead + cost - limit.tolerance))
    }

    /// The number of whole seconds after which the full burst is available again.
    package var reset: Int { Self.wholeSeconds(max(0, ahead)) }

    private static func wholeSeconds(_ microseconds: Int64) -> Int { Int((microseconds + 999_999) / 1_000_000) }
}

extension [RateDecision] {
    /// Whether every limit allows the request.
    package var areAllowed: Bool { allSatisfy(\.isAllowed) }

    /// The number of whole seconds after which every limit allows the request, at least 1.
    package var retryAfter: Int { filter { !$0.isAllowed }.map(\.retryAfter).max() ?? 1 }
}
