import ChaosKit
import Contracts
import Reactor

/// Compares the calls of an episode with what its faults allow.
@Loop struct CallCheck {
    /// Calls may still fail for this time after the recovery limit, because they were under way.
    private static let margin: Duration = .seconds(2)
    /// Within this time a request fails if the ingress knows that it cannot be served.
    private static let fastRefusal: Duration = .seconds(1)

    /// The ingress answers an upload after 30 s at the latest, and every other request earlier.
    private static let longestLimit: Duration = .seconds(35)

    let runs: [FaultRun]
    let log: CallLog

    var findings: [String] {
        unexpectedResults + slowRefusals + slowCalls + endlessCalls + missingRecoveries
            + summarized(log.calls.filter { !$0.hasRetryAfter }) { "\($0.call) got 503 without Retry-After" }
    }

    /// The calls whose status no fault explains.
    private var unexpectedResults: [String] {
        summarized(log.calls.filter { !isAllowed($0) }) { call in
            let reason = call.reason.map { ", \($0)" } ?? ""
            return "\(call.call) got \(call.status.map { "\($0)" } ?? "no response")\(reason)"
        }
    }

    private func isAllowed(_ call: CallRecord) -> Bool {
        guard !call.isServed else { return true }
        let active = runs.filter { run in
            guard let ended = run.ended else { return true }
            return call.ended >= run.began && call.began <= ended + run.fault.recovery + Self.margin
        }
        let isAffected = active.contains { $0.fault.affected.contains(call.service) }
        switch call.status {
        case 202: return isAffected || active.contains { $0.fault.delayed.contains(call.service) }
        // A post can be deleted while another client reads it. Clients report all other 404s themselves.
        case 404: return call.call.hasPrefix("GET /v1/posts/")
        case 429: return active.contains { $0.fault.allowsTooManyRequests }
        case 500: return call.reason?.hasPrefix("command-failed") == true && active.contains { $0.fault.failsCommands }
        case 503, 504: return isAffected
        // Clients connect to the ingress without a proxy.
        case nil: return active.contains { $0.fault.targets.contains(.ingress) }
        default: return false
        }
    }

    /// The calls that failed late, although the ingress must have known about the fault.
    private var slowRefusals: [String] {
        runs.flatMap { run -> [String] in
            guard let detection = run.fault.detection, let ended = run.ended else { return [] }
            let slow = log.calls.filter {
                !$0.isSuccess && $0.began >= run.began + detection && $0.began <= ended
                    && run.fault.affected.contains($0.service) && $0.ended - $0.began > Self.fastRefusal
            }
            return summarized(slow) { "\($0.call) failed with \($0.status ?? 0) only after more than a second" }
        }
    }

    /// The calls that took longer than the fault allows.
    private var slowCalls: [String] {
        runs.flatMap { run -> [String] in
            guard let limit = run.fault.maximumLatency, let ended = run.ended else { return [] }
            let others = runs.filter { $0 !== run }
            let slow = log.calls.filter { call in
                call.began >= run.began && call.began <= ended && call.ended - call.began > limit
                    && !others.contains { $0.fault.affected.union($0.fault.delayed).contains(call.service) }
            }
            return summarized(slow) { "\($0.call) took longer than \(limit.secondsText)" }
        }
    }

    /// The calls that took longer than any time limit of the ingress.
    private var endlessCalls: [String] {
        summarized(log.calls.filter { $0.ended - $0.began > Self.longestLimit }) {
            "\($0.call) took longer than \(Self.longestLimit.secondsText)"
        }
    }

    private var missingRecoveries: [String] {
        runs.flatMap { run -> [String] in
            guard let ended = run.ended else { return ["\(run.fault.name) was not ended"] }
            return run.fault.affected.flatMap(Self.typicalCalls).sorted().compactMap { call in
                let time = log.firstSuccess(of: call, after: ended)
                guard time ?? .seconds(1_000) > run.fault.recovery else { return nil }
                let text = time.map { "only \($0.secondsText)" } ?? "not"
                return "\(call) was served \(text) after the end of \(run.fault.name)"
            }
        }
    }

    /// The calls that must be served again after a fault has affected a service: a query, and a command if the service
    /// has commands.
    static func typicalCalls(of service: ServiceName) -> [String] {
        switch service {
        case .identity: ["GET /v1/accounts/me"]
        case .post: ["GET /v1/posts", "POST /v1/posts"]
        case .media: ["GET /v1/media", "POST /v1/media"]
        case .search: ["GET /v1/search/posts"]
        }
    }

    /// Returns a line for each text, with the number of calls that have it.
    private func summarized(_ calls: [CallRecord], _ text: (CallRecord) -> String) -> [String] {
        var counts: [String: Int] = [:]
        for call in calls { counts[text(call), default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value) calls)" }
    }
}
