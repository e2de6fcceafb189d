internal import HTTPTypes
internal import Logging

/// The one line that each request leaves: no bodies, no tokens, no query strings.
enum RequestLog {
    private static let longestPath = 256

    static func write(
        _ incoming: IncomingRequest, _ outcome: Gateway.Outcome, since start: ContinuousClock.Instant, to log: Logger
    ) {
        guard log.logLevel <= .info else { return }
        var metadata: Logger.Metadata = [
            "request-id": .string(incoming.id),
            "method": .string(incoming.method.rawValue),
            "path": .string(String(incoming.path.prefix(longestPath))),
            "status": .stringConvertible(outcome.answer.status),
            "ms": .stringConvertible(milliseconds(ContinuousClock.now - start)),
        ]
        if let type = outcome.messageType { metadata["type"] = .string(type) }
        if let reason = outcome.answer.reason { metadata["reason"] = .string(reason) }
        log.info("request", metadata: metadata)
    }

    /// To the microsecond.
    private static func milliseconds(_ duration: Duration) -> Double {
        (duration / .microseconds(1)).rounded() / 1000
    }
}
