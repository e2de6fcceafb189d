internal import Contracts
internal import HTTPTypes
internal import Logging
internal import WorkerKit

/// Writes one log line per request. The line contains no body, token or query string.
///
/// Of the requests that fail, at most 100 a second are logged, because a client can send many. The field `omitted` of a
/// line has the number of lines that were left out before it.
struct RequestLog: Sendable {
    private static let maximumPathLength = 256

    private let log: Logger
    private let failures = LogSampler(limit: 100)

    init(_ log: Logger) {
        self.log = log
    }

    /// Logs a request and the status of its response.
    func write(_ context: RequestContext, _ response: IngressResponse, since start: ContinuousClock.Instant) {
        guard log.logLevel <= .info else { return }
        guard response.status >= 400 else { return writeLine(context, response, since: start, omitted: 0) }
        guard let omitted = failures.admit() else { return }
        writeLine(context, response, since: start, omitted: omitted)
    }

    private func writeLine(
        _ context: RequestContext, _ response: IngressResponse, since start: ContinuousClock.Instant, omitted: Int
    ) {
        var metadata = metadata(context, since: start)
        metadata["status"] = .stringConvertible(response.status)
        if let type = response.messageType { metadata["type"] = .string(type) }
        if let reason = response.logReason { metadata["reason"] = .string(reason) }
        if omitted > 0 { metadata["omitted"] = .stringConvertible(omitted) }
        log.info("request", metadata: metadata)
    }

    /// Logs a request whose connection broke before the response was ready.
    func write(_ context: RequestContext, aborted error: any Error, since start: ContinuousClock.Instant) {
        guard log.logLevel <= .info, let omitted = failures.admit() else { return }
        var metadata = metadata(context, since: start)
        metadata["error"] = .string("\(error)")
        if omitted > 0 { metadata["omitted"] = .stringConvertible(omitted) }
        log.info("request aborted", metadata: metadata)
    }

    /// Logs the response to an incomplete or malformed request.
    func writeRefusal(_ response: IngressResponse, code: ProblemCode, requestID: String) {
        guard log.logLevel <= .info, let omitted = failures.admit() else { return }
        var metadata: Logger.Metadata = [
            "request-id": .string(requestID), "status": .stringConvertible(response.status),
            "code": .string(code.code),
        ]
        if omitted > 0 { metadata["omitted"] = .stringConvertible(omitted) }
        log.info("incomplete or malformed request refused", metadata: metadata)
    }

    private func metadata(_ context: RequestContext, since start: ContinuousClock.Instant) -> Logger.Metadata {
        [
            "request-id": .string(context.id),
            "method": .string(context.method.rawValue),
            "path": .string(String(context.path.prefix(Self.maximumPathLength))),
            "ms": .stringConvertible(Self.milliseconds(ContinuousClock.now - start)),
        ]
    }

    /// Returns a duration in milliseconds, rounded to the microsecond.
    private static func milliseconds(_ duration: Duration) -> Double {
        (duration / .microseconds(1)).rounded() / 1000
    }
}
