package import Reactor

/// A rate limit: a number of requests per unit of time and a burst (GCRA, the generic cell rate algorithm).
///
/// A key, such as an account, has a stored time, which is at least the current time. Each request advances the stored
/// time by ``interval``. A request that would advance it further than ``tolerance`` ahead of the clock is refused.
package struct RateLimit: Sendable, Hashable {
    /// The name in the `RateLimit` header fields and in the keys under which requests are counted (``RateCharge``).
    package let name: String
    /// The time between two requests at the limit's rate, in microseconds.
    package let interval: Int64
    /// The number of requests that are allowed at once after a pause.
    package let burst: Int

    /// The maximum time by which a key's stored time may be ahead of the clock, in microseconds.
    package var tolerance: Int64 { interval * Int64(burst) }

    /// Makes a limit of `count` requests per `unit`.
    ///
    /// - Parameter burst: the number of requests that are allowed at once after a pause; by default `count`.
    package init(name: String, count: Int, per unit: Duration, burst: Int? = nil) {
        self.name = name
        interval = max(1, Int64(unit / .microseconds(1)) / Int64(max(1, count)))
        self.burst = max(1, burst ?? count)
    }

    /// Returns a limit of another name with a multiple of the rate and of the burst.
    package func multiplied(by factor: Int, name: String) -> RateLimit {
        RateLimit(name: name, interval: max(1, interval / Int64(factor)), burst: burst * factor)
    }

    private init(name: String, interval: Int64, burst: Int) {
        self.name = name
        self.interval = interval
        self.burst = burst
    }

    /// Parses `COUNT/UNIT` or `COUNT/UNIT burst COUNT`; the unit is s, min or h.
    ///
    /// - Returns: `nil` for `off` and for a count of 0.
    package static func parse(_ text: String, name: String) throws(ParseError) -> RateLimit? {
        let words = text.split(separator: " ")
        if words == ["off"] || words == ["0"] { return nil }
        guard words.count == 1 || (words.count == 3 && words[1] == "burst") else { throw malformed }
        let rate = words[0].split(separator: "/", omittingEmptySubsequences: false)
        guard rate.count == 2, let count = Int(rate[0]), (0...1_000_000).contains(count),
            let unit = units[String(rate[1])]
        else { throw malformed }
        var burst: Int?
        if words.count == 3 {
            guard let number = Int(words[2]), (1...1_000_000).contains(number) else { throw malformed }
            burst = number
        }
        return count == 0 ? nil : RateLimit(name: name, count: count, per: unit, burst: burst)
    }

    private static var malformed: ParseError {
        ParseError("must be off, or a rate such as 100/s, 10/min, 1000/h or 100/s burst 200")
    }

    private static let units: [String: Duration] = ["s": .seconds(1), "min": .seconds(60), "h": .seconds(3600)]
}

extension RateLimit {
    /// The value of the `RateLimit-Policy` header field: the quota, and the number of seconds after which an exhausted
    /// quota is full again.
    package var policy: String {
        "\"\(name)\";q=\(burst);w=\(max(1, (tolerance + 999_999) / 1_000_000))"
    }
}

extension Settings {
    /// Returns the rate limit that an environment variable sets, or else the default; `nil` if the limit is off.
    ///
    /// - Parameters:
    ///   - name: the limit's name in header fields and keys.
    ///   - text: the default, in the syntax of the variable.
    package func rateLimit(
        _ variable: String, name: String, default text: String
    ) throws(SettingsError) -> RateLimit? {
        let text = try self.text(variable) ?? text
        do throws(ParseError) {
            return try RateLimit.parse(text, name: name)
        } catch {
            throw SettingsError(variable, error.message)
        }
    }
}
