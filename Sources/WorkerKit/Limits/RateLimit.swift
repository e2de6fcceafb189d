/// A rate limit: so many requests in a time, and how many at once (GCRA, the generic cell rate algorithm).
package struct RateLimit: Sendable, Hashable {
    /// A text that is no rate limit.
    package struct Malformed: Error, CustomStringConvertible {
        package let description = "must be like 100/s, 100/s burst 200, 10/min or 1000/h, or off"
    }

    /// The name in the answer's `RateLimit` fields and in the keys.
    package let name: String
    /// The time that one request costs, in microseconds.
    package let interval: Int64
    /// How many may come at once after a pause.
    package let burst: Int

    /// How far ahead of now the paid time may be, in microseconds.
    package var tolerance: Int64 { interval * Int64(burst) }

    /// Makes a limit of so many requests in a time.
    package init(name: String, count: Int, per unit: Duration, burst: Int? = nil) {
        self.name = name
        interval = max(1, Int64(unit / .microseconds(1)) / Int64(max(1, count)))
        self.burst = max(1, burst ?? count)
    }

    /// Reads `COUNT/UNIT` or `COUNT/UNIT burst COUNT`; the unit is s, min or h.
    ///
    /// - Returns: nothing for `off` and for a count of 0.
    package static func parse(_ text: String, name: String) throws(Malformed) -> RateLimit? {
        let words = text.split(separator: " ")
        if words == ["off"] || words == ["0"] { return nil }
        guard words.count == 1 || (words.count == 3 && words[1] == "burst") else { throw Malformed() }
        let rate = words[0].split(separator: "/", omittingEmptySubsequences: false)
        guard rate.count == 2, let count = Int(rate[0]), (0...1_000_000).contains(count),
            let unit = units[String(rate[1])]
        else { throw Malformed() }
        var burst: Int?
        if words.count == 3 {
            guard let number = Int(words[2]), (1...1_000_000).contains(number) else { throw Malformed() }
            burst = number
        }
        return count == 0 ? nil : RateLimit(name: name, count: count, per: unit, burst: burst)
    }

    private static let units: [String: Duration] = ["s": .seconds(1), "min": .seconds(60), "h": .seconds(3600)]
}

extension RateLimit {
    /// The policy as the `RateLimit-Policy` field says it: the quota, and the seconds in which it comes back.
    package var policy: String {
        "\"\(name)\";q=\(burst);w=\(max(1, (tolerance + 999_999) / 1_000_000))"
    }
}
