package import Contracts

/// What `wrk` measured in one run, as `requests.lua` prints it.
package struct WrkResult: Sendable, Hashable {
    /// The output of `wrk` has no result.
    package struct Malformed: Error, CustomStringConvertible {
        package let output: String

        package var description: String { "wrk printed no result: \(output)" }
    }

    /// The beginning of the line that `requests.lua` prints.
    private static let mark = "WARREN-BENCH "

    /// The responses that were received, whatever their status.
    package let requests: Int
    /// The requests that were sent. At the end of the run, up to one request per connection has no response yet.
    package let sent: Int
    /// The duration of the run in seconds.
    package let seconds: Double
    /// The latencies of the responses. After a slow response, `wrk` adds estimated latencies for the requests that the
    /// connection would have sent meanwhile (correction of coordinated omission).
    package let latency: Latency
    /// The responses with a status above 399.
    package let failedResponses: Int
    /// Connections that failed, and responses that arrived after the time limit of `wrk`. Requests that have no
    /// response at the end of the run are not counted.
    package let failedConnections: Int
    /// The requests that were sent a second time, because the list of requests was too short for the run.
    package let repeats: Int

    /// The responses per second with a status below 400.
    package var perSecond: Double { seconds > 0 ? Double(requests - failedResponses) / seconds : 0 }

    /// Parses the output of `wrk`.
    ///
    /// - Throws: ``Malformed`` if the line of `requests.lua` is missing or incomplete.
    package init(output: String) throws(Malformed) {
        let error = Malformed(output: output)
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix(Self.mark) }),
            let json = try? JSON.parse(Array(line.dropFirst(Self.mark.count).utf8)),
            let requests = json.count("requests"), let microseconds = json.count("duration"),
            let failedResponses = json.count("status"), let listed = json.count("listed"),
            let sent = json.count("sent"), let latency = Latency(json, unitsPerMillisecond: 1000)
        else { throw error }
        var failedConnections = 0
        for name in ["connect", "read", "write", "timeout"] {
            guard let count = json.count(name) else { throw error }
            failedConnections += count
        }
        self.requests = requests
        self.sent = sent
        self.failedResponses = failedResponses
        self.failedConnections = failedConnections
        self.latency = latency
        seconds = Double(microseconds) / 1_000_000
        repeats = max(0, sent - listed)
    }
}

/// Percentiles of the latency, in milliseconds.
package struct Latency: Sendable, Hashable {
    package let p50: Double
    package let p99: Double
    package let p999: Double

    package init(p50: Double, p99: Double, p999: Double) {
        (self.p50, self.p99, self.p999) = (p50, p99, p999)
    }

    /// Reads the members `p50`, `p99` and `p999`. Returns `nil` if one of them is missing.
    package init?(_ json: JSON, unitsPerMillisecond: Double = 1) {
        guard let p50 = json["p50"]?.number, let p99 = json["p99"]?.number, let p999 = json["p999"]?.number
        else { return nil }
        self.init(p50: p50 / unitsPerMillisecond, p99: p99 / unitsPerMillisecond, p999: p999 / unitsPerMillisecond)
    }
}

/// What `warren-bench-raw` measured in one run.
package struct RawResult: Sendable, Hashable {
    package let perSecond: Double
    package let latency: Latency

    /// Parses the output of `warren-bench-raw`. Returns `nil` if it is malformed.
    package init?(output: String) {
        guard let json = try? JSON.parse(Array(output.utf8)), let requests = json.count("requests"),
            let seconds = json["seconds"]?.number, seconds > 0, let latency = Latency(json)
        else { return nil }
        perSecond = Double(requests) / seconds
        self.latency = latency
    }
}

extension JSON {
    /// The number; `nil` if this is another type.
    package var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// Returns a member that is a number of things; `nil` if it is missing, negative or not an integer.
    fileprivate func count(_ name: String) -> Int? {
        self[name]?.integer.flatMap { $0 >= 0 ? Int(exactly: $0) : nil }
    }
}
