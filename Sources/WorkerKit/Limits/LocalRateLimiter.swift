/// Rate limits in the process's memory, for the time that Redis is away. Each process then counts for itself.
package struct LocalRateLimiter: Sendable {
    private let capacity: Int
    /// The time up to which each key has paid, in microseconds.
    private var paid: [String: Int64] = [:]

    /// Makes a limiter.
    ///
    /// - Parameter capacity: the most keys to keep.
    package init(capacity: Int = 100_000) {
        self.capacity = capacity
    }

    /// The number of keys.
    package var count: Int { paid.count }

    /// Charges a request to several keys, or to none of them if one of the limits refuses.
    ///
    /// - Parameters:
    ///   - charges: the keys and their limits.
    ///   - now: the time in microseconds, of any monotonic clock.
    package mutating func charge(_ charges: [RateCharge], at now: Int64) -> [RateDecision] {
        let aheads = charges.map { max(0, (paid[$0.key] ?? 0) - now) }
        let allowed = zip(charges, aheads).map { charge, ahead in
            charge.cost == 0 || ahead + charge.cost <= charge.limit.tolerance
        }
        let areAllowed = allowed.allSatisfy { $0 }
        var decisions: [RateDecision] = []
        for (index, charge) in charges.enumerated() {
            var ahead = aheads[index]
            if areAllowed, charge.cost > 0 {
                ahead += charge.cost
                makeRoom(for: charge.key, at: now)
                paid[charge.key] = now + ahead
            }
            decisions.append(RateDecision(limit: charge.limit, isAllowed: allowed[index], ahead: ahead))
        }
        return decisions
    }

    private mutating func makeRoom(for key: String, at now: Int64) {
        guard paid.count >= capacity, paid[key] == nil else { return }
        paid = paid.filter { $0.value > now }
        // Half of the keys at once, so that a flood of addresses does not make every request scan all keys.
        if paid.count >= capacity { paid = paid.filter { _ in Bool.random() } }
    }
}

/// The charge of a request to one key of one limit.
package struct RateCharge: Sendable, Hashable {
    /// The limit.
    package let limit: RateLimit
    /// The limit's name and the caller or the address that the request counts for.
    package let key: String
    /// Whether the charge costs nothing and only returns the current state.
    package var isFree = false

    /// Makes a charge.
    package init(limit: RateLimit, key: String, isFree: Bool = false) {
        self.limit = limit
        self.key = key
        self.isFree = isFree
    }

    /// The time that the request costs, in microseconds.
    package var cost: Int64 { isFree ? 0 : limit.interval }
}
