internal import HTTPTypes
internal import Logging

/// Writes one log line per request. The line contains no body, token or query string.
enum RequestLog {
    private static let maximumPathLength = 256

    /// Logs a request and the status of its response.
    static func write(
        _ context: RequestContext, _ response: IngressResponse, since start: ContinuousClock.Instant, to log: Logger
    ) {
        guard log.logLevel <= .info else { return }
        var metadata = metadata(context, since: start)
        metadata["status"] = .stringConvertible(response.status)
        if let type = response.messageType { metadata["type"] = .string(type) }
        if let reason = response.logReason { metadata["reason"] = .string(reason) }
        log.info("request", metadata: metadata)
    }

    /// Logs a request whose connection broke before the response was ready.
    static func write(
        _ context: RequestContext, aborted error: any Error, since start: ContinuousClock.Instant, to log: Logger
    ) {
        guard log.logLevel <= .info else { return }
        var metadata = metadata(context, since: start)
        metadata["error"] = .string("\(error)")
        log.info("request aborted", metadata: metadata)
    }

    private static func metadata(_ context: RequestContext, since start: ContinuousClock.Instant) -> Logger.Metadata {
        [
            "request-id": .string(context.id),
            "method": .string(context.method.rawValue),
            "path": .string(String(context.path.prefix(maximumPathLength))),
            "ms": .stringConvertible(milliseconds(ContinuousClock.now - start)),
        ]
    }

    /// Returns a duration in milliseconds, rounded to the microsecond.
    private static func milliseconds(_ duration: Duration) -> Double {
        (duration / .microseconds(1)).rounded() / 1000
    }
}
