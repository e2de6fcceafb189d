internal import HTTPTypes
internal import Logging

/// The one line that each request leaves: no bodies, no tokens, no query strings.
enum RequestLog {
    private static let longestPath = 256

    static func write(
        _ incoming: IncomingRequest, _ outcome: Gateway.Outcome, since start: ContinuousClock.Instant, to log: Logger
    ) {
        guard log.logLevel <= .info else { return }
        var metadata = metadata(incoming, since: start)
        metadata["status"] = .stringConvertible(outcome.answer.status)
        if let type = outcome.messageType { metadata["type"] = .string(type) }
        if let reason = outcome.answer.reason { metadata["reason"] = .string(reason) }
        log.info("request", metadata: metadata)
    }

    /// A request whose client went before it was there.
    static func write(
        _ incoming: IncomingRequest, abandoned error: any Error, since start: ContinuousClock.Instant, to log: Logger
    ) {
        guard log.logLevel <= .info else { return }
        var metadata = metadata(incoming, since: start)
        metadata["error"] = .string("\(error)")
        log.info("request abandoned", metadata: metadata)
    }

    private static func metadata(_ incoming: IncomingRequest, since start: ContinuousClock.Instant) -> Logger.Metadata {
        [
            "request-id": .string(incoming.id),
            "method": .string(incoming.method.rawValue),
            "path": .string(String(incoming.path.prefix(longestPath))),
            "ms": .stringConvertible(milliseconds(ContinuousClock.now - start)),
        ]
    }

    /// To the microsecond.
    private static func milliseconds(_ duration: Duration) -> Double {
        (duration / .microseconds(1)).rounded() / 1000
    }
}
