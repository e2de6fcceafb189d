package import Contracts

/// The calls of all clients in the order of their ends.
package struct CallLog: Sendable {
    package private(set) var calls: [CallRecord] = []
    /// The latest start of a served call, by kind.
    private var lastSuccess: [String: ContinuousClock.Instant] = [:]

    package init() {}

    package mutating func add(_ call: CallRecord) {
        calls.append(call)
        if call.isServed { lastSuccess[call.call] = max(lastSuccess[call.call] ?? call.began, call.began) }
    }

    /// The number of calls by status; `0` stands for calls without a response.
    package var countsByStatus: [Int: Int] {
        calls.reduce(into: [:]) { $0[$1.status ?? 0, default: 0] += 1 }
    }

    /// The longest time in which no call to a service succeeded, from `start` to the start of the last call.
    package func longestInterruption(of service: ServiceName, since start: ContinuousClock.Instant) -> Duration {
        longestInterruption(of: calls.filter { $0.service == service }, since: start)
    }

    /// The longest time in which no call of one kind, such as `POST /v1/posts`, succeeded.
    package func longestInterruption(of call: String, since start: ContinuousClock.Instant) -> Duration {
        longestInterruption(of: calls.filter { $0.call == call }, since: start)
    }

    private func longestInterruption(of calls: [CallRecord], since start: ContinuousClock.Instant) -> Duration {
        var (last, longest, end) = (start, Duration.zero, start)
        for call in calls where call.ended >= start {
            end = max(end, call.began)
            guard call.isServed else { continue }
            longest = max(longest, call.ended - last)
            last = call.ended
        }
        // If nothing succeeds any more, the interruption lasts until the start of the last call.
        return max(longest, end - last)
    }

    /// The time from an instant to the first call of one kind that began after it and was served; `nil` if there was
    /// none.
    package func firstSuccess(of call: String, after instant: ContinuousClock.Instant) -> Duration? {
        guard let last = lastSuccess[call], last >= instant else { return nil }
        return calls.filter { $0.call == call && $0.isServed && $0.began >= instant }.map { $0.ended - instant }.min()
    }

    /// The 99th percentile of the latency of the served calls of one kind that began between two instants; zero if
    /// there were none.
    package func latency99(
        of call: String, from start: ContinuousClock.Instant, to end: ContinuousClock.Instant
    ) -> Duration {
        let latencies = calls.filter { $0.call == call && $0.isServed && $0.began >= start && $0.began <= end }
            .map { $0.ended - $0.began }.sorted()
        return latencies.isEmpty ? .zero : latencies[(latencies.count - 1) * 99 / 100]
    }
}
