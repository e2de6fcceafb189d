package import Contracts

/// The calls of all clients in the order of their ends.
package struct CallLog: Sendable {
    package private(set) var calls: [CallRecord] = []

    package init() {}

    package mutating func add(_ call: CallRecord) {
        calls.append(call)
    }

    /// The number of calls by status; `0` stands for calls without a response.
    package var countsByStatus: [Int: Int] {
        calls.reduce(into: [:]) { $0[$1.status ?? 0, default: 0] += 1 }
    }

    /// The longest time in which no call to a service succeeded, from `start` to the last call of the log.
    package func longestInterruption(of service: ServiceName, since start: ContinuousClock.Instant) -> Duration {
        let own = calls.filter { $0.service == service && $0.ended >= start }
        var (last, longest) = (start, Duration.zero)
        for call in own where call.isSuccess {
            longest = max(longest, call.ended - last)
            last = call.ended
        }
        // If nothing succeeds any more, the interruption lasts until the last call.
        return max(longest, (own.last?.ended ?? start) - last)
    }

    /// The time from an instant to the first success of a service that began after it; `nil` if there was none.
    package func firstSuccess(of service: ServiceName, after instant: ContinuousClock.Instant) -> Duration? {
        calls.filter { $0.service == service && $0.isSuccess && $0.began >= instant }.map { $0.ended - instant }.min()
    }

    /// The 99th percentile of the latency of the successful calls of one kind that began after an instant; zero if
    /// there were none.
    package func slowestPercent(of call: String, since start: ContinuousClock.Instant) -> Duration {
        let latencies = calls.filter { $0.call == call && $0.isSuccess && $0.began >= start }
            .map { $0.ended - $0.began }.sorted()
        return latencies.isEmpty ? .zero : latencies[(latencies.count - 1) * 99 / 100]
    }
}
