/// Applies rate limits in the memory of one process.
package struct LocalRateLimiter: Sendable {
    private let capacity: Int
    /// The stored time of each key, in microseconds. Each request advances the stored times of its keys (see
    /// ``RateLimit``).
    private var storedTimes: [String: Int64] = [:]

    /// Makes a limiter.
    ///
    /// - Parameter capacity: the maximum number of keys to keep.
    package init(capacity: Int = 100_000) {
        self.capacity = capacity
    }

    /// The number of keys.
    package var count: Int { storedTimes.count }

    /// Charges a request to several keys, or to none of them if one of their limits refuses the request.
    ///
    /// - Parameters:
    ///   - charges: the keys and their limits.
    ///   - now: the time of a monotonic clock, in microseconds.
    /// - Returns: a decision for each charge, in the order of the charges.
    package mutating func charge(_ charges: [RateCharge], at now: Int64) -> [RateDecision] {
        var decisions = decide(charges, at: now)
        guard decisions.areAllowed else { return decisions }
        for (index, charge) in charges.enumerated() where charge.cost > 0 {
            let ahead = decisions[index].ahead + charge.cost
            makeRoom(for: charge.key, at: now)
            storedTimes[charge.key] = now + ahead
            decisions[index] = RateDecision(limit: charge.limit, isAllowed: true, ahead: ahead, cost: charge.cost)
        }
        return decisions
    }

    /// Decides whether a request would be allowed, without charging it.
    ///
    /// - Parameters: as for ``charge(_:at:)``.
    func decide(_ charges: [RateCharge], at now: Int64) -> [RateDecision] {
        charges.map { charge in
            let ahead = max(0, (storedTimes[charge.key] ?? 0) - now)
            return RateDecision(
                limit: charge.limit, isAllowed: charge.cost == 0 || ahead + charge.cost <= charge.limit.tolerance,
                ahead: ahead, cost: charge.cost)
        }
    }

    /// Raises the stored time of a key.
    ///
    /// - Parameters:
    ///   - time: the new stored time, in microseconds. If it is less than the present one, nothing changes.
    ///   - now: the time of a monotonic clock, in microseconds.
    mutating func raise(_ key: String, to time: Int64, at now: Int64) {
        guard time > storedTimes[key] ?? now else { return }
        makeRoom(for: key, at: now)
        storedTimes[key] = time
    }

    private mutating func makeRoom(for key: String, at now: Int64) {
        guard storedTimes.count >= capacity, storedTimes[key] == nil else { return }
        storedTimes = storedTimes.filter { $0.value > now }
        // A random half of the keys is removed at once. If only one key were removed, each request of a flood of new
        // addresses would scan all keys.
        if storedTimes.count >= capacity { storedTimes = storedTimes.filter { _ in Bool.random() } }
    }
}

/// The charge of one request to one key.
package struct RateCharge: Sendable, Hashable {
    /// The limit.
    package let limit: RateLimit
    /// The key under which requests are counted: the limit's name, and the caller or the client's address.
    package let key: String
    /// How many ordinary requests the request counts as. With the weight 0, the charge costs nothing and
    /// only returns the current state.
    package let weight: Int

    /// Makes a charge.
    package init(limit: RateLimit, key: String, weight: Int = 1) {
        self.limit = limit
        self.key = key
        self.weight = weight
    }

    /// The time by which the request advances the stored time of the key, in microseconds. It is at most the limit's
    /// tolerance, so that every request is allowed after a pause.
    package var cost: Int64 {
        let (cost, isTooLarge) = limit.interval.multipliedReportingOverflow(by: Int64(weight))
        return isTooLarge ? limit.tolerance : min(cost, limit.tolerance)
    }
}
