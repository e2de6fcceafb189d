/// A rate limit: a number of requests per unit of time and a burst (GCRA, the generic cell rate algorithm).
package struct RateLimit: Sendable, Hashable {
    /// The text of a setting is not a rate limit.
    package struct Malformed: Error, CustomStringConvertible {
        package let description = "must be like 100/s, 100/s burst 200, 10/min or 1000/h, or off"
    }

    /// The name in the `RateLimit` header fields and in the keys.
    package let name: String
    /// The time that one request costs, in microseconds.
    package let interval: Int64
    /// The number of requests that are allowed at once after a pause.
    package let burst: Int

    /// How far the paid time may be ahead of the clock, in microseconds.
    package var tolerance: Int64 { interval * Int64(burst) }

    /// Makes a limit of `count` requests per `unit`.
    ///
    /// - Parameter burst: the number of requests that are allowed at once after a pause; by default `count`.
    package init(name: String, count: Int, per unit: Duration, burst: Int? = nil) {
        self.name = name
        interval = max(1, Int64(unit / .microseconds(1)) / Int64(max(1, count)))
        self.burst = max(1, burst ?? count)
    }

    /// Parses `COUNT/UNIT` or `COUNT/UNIT burst COUNT`; the unit is s, min or h.
    ///
    /// - Returns: `nil` for `off` and for a count of 0.
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
    /// The value of the `RateLimit-Policy` header field: the quota, and the seconds in which it is restored.
    package var policy: String {
        "\"\(name)\";q=\(burst);w=\(max(1, (tolerance + 999_999) / 1_000_000))"
    }
}

extension Settings {
    /// Returns the rate limit that a variable sets, or the default; `nil` if it is off.
    ///
    /// - Parameters:
    ///   - name: the limit's name in header fields and keys.
    ///   - text: the default, in the variable's syntax.
    package func rateLimit(
        _ variable: String, name: String, default text: String
    ) throws(SettingsError) -> RateLimit? {
        let text = try self.text(variable) ?? text
        do throws(RateLimit.Malformed) {
            return try RateLimit.parse(text, name: name)
        } catch {
            throw SettingsError(variable, error.description)
        }
    }
}
