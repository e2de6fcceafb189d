internal import Contracts
internal import HTTPTypes
internal import Logging
internal import WorkerKit

/// Writes one log line per request. The line contains no body, token or query string.
///
/// A client can cause many failures, so at most 100 lines a second are written about requests that the server refuses
/// (status 4xx) or the client aborts, and 100 about requests that fail for another reason. `omitted` is the number of
/// lines that were skipped since the previous line of this kind.
struct RequestLog: Sendable {
    private static let maximumPathLength = 256

    private let log: Logger
    private let refusals = LogSampler(limit: 100)
    private let failures = LogSampler(limit: 100)
    private let disconnections = LogSampler(limit: 10)

    init(_ log: Logger) {
        self.log = log
    }

    /// The reason why the server closes a connection on which a request can be in flight.
    enum Disconnection: String {
        case replaced = "too many connections"
        case stalled = "the client does not read its response"
        case flooded = "the client has sent too many requests without waiting for their responses"
        case evicted = "the memory for responses is needed for another response"
    }

    /// Logs that the server closes a connection.
    func write(_ disconnection: Disconnection) {
        guard log.logLevel <= .info, let omitted = disconnections.admit() else { return }
        log.info("connection closed", metadata: Self.adding(omitted, to: ["reason": .string(disconnection.rawValue)]))
    }

    /// Logs a request and the status of its response.
    func write(_ context: RequestContext, _ response: IngressResponse, since start: ContinuousClock.Instant) {
        guard log.logLevel <= .info else { return }
        let sampler = response.status < 400 ? nil : response.status < 500 ? refusals : failures
        guard let omitted = sampler.map({ $0.admit() }) ?? 0 else { return }
        writeLine(context, response, since: start, omitted: omitted)
    }

    private func writeLine(
        _ context: RequestContext, _ response: IngressResponse, since start: ContinuousClock.Instant, omitted: Int
    ) {
        var metadata = metadata(context, since: start)
        metadata["status"] = .stringConvertible(response.status)
        if let type = response.messageType { metadata["type"] = .string(type) }
        if let reason = response.logReason { metadata["reason"] = .string(reason) }
        log.info("request", metadata: Self.adding(omitted, to: metadata))
    }

    /// Logs a request that gets no response.
    func write(_ context: RequestContext, aborted reason: String, since start: ContinuousClock.Instant) {
        guard log.logLevel <= .info, let omitted = refusals.admit() else { return }
        var metadata = metadata(context, since: start)
        metadata["reason"] = .string(reason)
        log.info("request aborted", metadata: Self.adding(omitted, to: metadata))
    }

    /// Logs the response to an incomplete or malformed request.
    func writeRefusal(_ response: IngressResponse, code: ProblemCode, requestID: String) {
        guard log.logLevel <= .info, let omitted = refusals.admit() else { return }
        let metadata: Logger.Metadata = [
            "request-id": .string(requestID), "status": .stringConvertible(response.status),
            "code": .string(code.code),
        ]
        log.info("incomplete or malformed request refused", metadata: Self.adding(omitted, to: metadata))
    }

    private static func adding(_ omitted: Int, to metadata: Logger.Metadata) -> Logger.Metadata {
        guard omitted > 0 else { return metadata }
        return metadata.merging(["omitted": .stringConvertible(omitted)]) { $1 }
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
