/// Rate limits kept in the process, for when Redis is away: each process then counts for itself.
package struct LocalRateLimiter: Sendable {
    private let capacity: Int
    /// Until when each key has paid, in microseconds.
    private var paid: [String: Int64] = [:]

    /// Makes a limiter.
    ///
    /// - Parameter capacity: the most keys that it keeps.
    package init(capacity: Int = 100_000) {
        self.capacity = capacity
    }

    /// How many keys it keeps.
    package var count: Int { paid.count }

    /// Charges a request to several keys, or to none of them where one refuses.
    ///
    /// - Parameters:
    ///   - charges: the keys and their limits.
    ///   - now: microseconds of any clock that does not go back.
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
        // Half of them at once, so that a flood of addresses does not make every request look through all.
        if paid.count >= capacity { paid = paid.filter { _ in Bool.random() } }
    }
}

/// A request as one limit counts it.
package struct RateCharge: Sendable, Hashable {
    package let limit: RateLimit
    /// Whose request it is: the limit's name, and the caller or the address.
    package let key: String
    /// Whether it is only told how things stand.
    package var isFree = false

    /// Makes a charge to one key.
    package init(limit: RateLimit, key: String, isFree: Bool = false) {
        self.limit = limit
        self.key = key
        self.isFree = isFree
    }

    /// The time that it pays for, in microseconds.
    package var cost: Int64 { isFree ? 0 : limit.interval }
}
