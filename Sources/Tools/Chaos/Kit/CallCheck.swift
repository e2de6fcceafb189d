package import Contracts

/// Compares the calls of an episode with what its faults allow.
package struct CallCheck {
    /// Within this time a request fails if the ingress knows that it cannot be served.
    private static let fastRefusal: Duration = .seconds(1)
    /// The ingress answers an upload after 30 s at the latest, and every other request after 5 s.
    private static let uploadLimit: Duration = .seconds(35)
    private static let usualLimit: Duration = .seconds(8)
    private static let upload = "POST /v1/media"

    private let windows: [FaultWindow]
    private let log: CallLog

    package init(_ windows: [FaultWindow], _ log: CallLog) {
        self.windows = windows
        self.log = log
    }

    /// A line for each kind of call that the faults do not explain.
    package var findings: [String] {
        unexpectedResults + slowRefusals + slowCalls + endlessCalls + missingRecoveries + missingEvidence
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
        if call.status == call.wanted, call.status != nil { return true }
        guard !call.isServed || call.wanted != nil else { return true }
        let windows = windows.filter { call.ended >= $0.began && call.began <= $0.toleratedUntil }
        let active = windows.map(\.allowance)
        let isAffected = active.contains { $0.affected.contains(call.service) }
        switch call.status {
        case 202: return isAffected || active.contains { $0.delayed.contains(call.service) }
        // A post can be deleted while another client reads it. Clients report all other 404s themselves.
        case 404: return call.call.hasPrefix("GET /v1/posts/")
        case 429: return active.contains(where: \.allowsTooManyRequests)
        case 503, 504: return isAffected
        case nil: return windows.contains { $0.losesResponse(of: call) }
        default: return false
        }
    }

    private func others(than index: Int) -> [FaultWindow] {
        windows.indices.filter { $0 != index }.map { windows[$0] }
    }

    /// The calls that failed late, although the ingress must have known about the fault. If another fault stopped the
    /// service at the same time, it may not have found out.
    private var slowRefusals: [String] {
        windows.indices.flatMap { index -> [String] in
            let window = windows[index]
            guard let detection = window.allowance.detection else { return [] }
            let others = others(than: index)
            let failed = log.calls.filter { call in
                !call.isSuccess && call.status != call.wanted && call.began >= window.caused + detection
                    && call.began <= window.removalBegan && window.allowance.affected.contains(call.service)
                    && !others.contains { $0.affects(call.service, since: window.caused, until: call.ended) }
            }
            return summarized(late(failed, Self.fastRefusal)) {
                "\($0.call) failed with \($0.status ?? 0) only after more than a second"
            }
        }
    }

    /// The calls that took longer than a fault allows.
    private var slowCalls: [String] {
        windows.indices.flatMap { index -> [String] in
            let window = windows[index]
            guard let limit = window.allowance.maximumLatency else { return [] }
            let others = others(than: index)
            let calls = log.calls.filter { call in
                call.began >= window.began && call.began <= window.toleratedUntil
                    && !others.contains { $0.affects(call.service) }
            }
            return summarized(late(calls, limit)) { "\($0.call) took longer than \(limit.secondsText)" }
        }
    }

    /// Returns the calls that took longer than `limit`. A few that are slightly too slow do not count, because the
    /// suite, the servers and Warren share the cores of one machine.
    private func late(_ calls: [CallRecord], _ limit: Duration) -> [CallRecord] {
        let late = calls.filter { $0.duration > limit }
        let isNoise = late.count <= max(2, calls.count / 200) && late.allSatisfy { $0.duration <= limit + .seconds(2) }
        return isNoise ? [] : late
    }

    /// The calls that took longer than any time limit of the ingress.
    private var endlessCalls: [String] {
        func limit(of call: CallRecord) -> Duration { call.call == Self.upload ? Self.uploadLimit : Self.usualLimit }
        return summarized(log.calls.filter { $0.duration > limit(of: $0) }) {
            "\($0.call) took longer than \(limit(of: $0).secondsText)"
        }
    }

    private var missingEvidence: [String] {
        windows.compactMap { window in
            guard let evidence = window.allowance.evidence else { return nil }
            let isFound = log.calls.contains { call in
                guard window.lasts(during: call) else { return false }
                switch evidence {
                case .status(let statuses, let name): return call.call == name && statuses.contains(call.status)
                case .slowness(let limit, let name): return call.call == name && call.duration > limit
                }
            }
            return isFound ? nil : "\(window.name) had no effect: \(evidence.description)"
        }
    }

    // MARK: Recovery

    /// Whether each affected service has served its typical calls after the last fault.
    package var isRecovered: Bool {
        lastFaults.allSatisfy { service, window in
            Self.typicalCalls(of: service).allSatisfy { log.firstSuccess(of: $0, after: window.ended) != nil }
        }
    }

    /// The last fault of each affected service.
    private var lastFaults: [ServiceName: FaultWindow] {
        windows.reduce(into: [:]) { last, window in
            for service in window.allowance.affected where last[service].map({ $0.ended < window.ended }) ?? true {
                last[service] = window
            }
        }
    }

    private var missingRecoveries: [String] {
        lastFaults.flatMap { service, window in
            let limits = windows.filter { $0.allowance.affected.contains(service) }
                .map { ($0.ended - window.ended) + $0.allowance.recovery }
            return Self.typicalCalls(of: service).compactMap { call -> String? in
                let time = log.firstSuccess(of: call, after: window.ended)
                guard time ?? .seconds(1_000) > limits.max() ?? .zero else { return nil }
                let text = time.map { "only \($0.secondsText)" } ?? "not"
                return "\(call) was served \(text) after the end of \(window.name)"
            }
        }.sorted()
    }

    /// The calls that must be served again after a fault has affected a service: a query, and a command if the service
    /// has commands.
    package static func typicalCalls(of service: ServiceName) -> [String] {
        switch service {
        case .identity: ["GET /v1/accounts/me", "POST /v1/auth/login"]
        case .post: ["GET /v1/posts", "POST /v1/posts"]
        case .media: ["GET /v1/media", upload]
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

extension Allowance.Evidence: CustomStringConvertible {
    /// What did not happen, for a finding.
    package var description: String {
        switch self {
        case .status(let statuses, let call):
            "no \(call) got \(statuses.map { $0.map { "\($0)" } ?? "no response" }.sorted().joined(separator: " or "))"
        case .slowness(let limit, let call): "no \(call) took longer than \(limit.secondsText)"
        }
    }
}
