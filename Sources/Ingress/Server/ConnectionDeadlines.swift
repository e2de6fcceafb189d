/// The maximum duration of each phase of a connection, in nanoseconds.
struct ConnectionTimeouts: Sendable, Hashable {
    /// From a response to the first byte of the next request.
    var idle: UInt64
    /// From connecting to the first byte, and from a request's first byte to the end of its header fields.
    var head: UInt64
    /// From the end of the header fields to the end of the body.
    var body: UInt64
    /// From the end of a request until the whole response is written to the socket. A client that does not read its
    /// response delays the write.
    var response: UInt64
    /// The interval at which a connection that is sending a response is checked for progress. The connection is closed
    /// after one to two intervals without progress.
    var stall: UInt64
}

/// The deadline of a connection's current phase, as a state machine that does no I/O. Times are in nanoseconds.
struct ConnectionDeadlines: Sendable {
    private enum ReadPhase: Sendable, Hashable {
        case idle
        case head(since: UInt64)
        case body(since: UInt64)
    }

    /// The result of checking the deadline.
    enum Expiry: Sendable, Hashable {
        /// The deadline has not passed. Check again at the given time, which is the deadline.
        case wait(until: UInt64)
        /// Close the connection without a response.
        case close
        /// Close the connection, because the client does not read its response.
        case stalled
        /// The header fields of a request did not arrive in time.
        case headTimeout
        /// The body of a request did not arrive in time.
        case bodyTimeout
    }

    private let timeouts: ConnectionTimeouts
    private var phase = ReadPhase.idle
    private var hasReceivedBytes = false
    /// The time from which the idle timeout or the response timeout counts.
    private var since: UInt64
    /// The bytes of responses that the socket had not accepted at the last check, and the time of the last progress;
    /// `nil` if all responses that were written are sent. The number is `Int.max` before the first check.
    private var unsent: (bytes: Int, since: UInt64)?
    /// The number of requests whose header fields are complete and whose responses are not sent.
    private(set) var unanswered = 0

    init(timeouts: ConnectionTimeouts, now: UInt64) {
        self.timeouts = timeouts
        since = now
    }

    var isReadingBody: Bool { if case .body = phase { true } else { false } }

    /// The number of requests that were received completely and whose responses are not sent.
    private var dueResponses: Int { max(0, unanswered - (isReadingBody ? 1 : 0)) }

    /// Records that bytes arrived, before they are parsed.
    mutating func readBytes(at now: UInt64) {
        hasReceivedBytes = true
        if phase == .idle { phase = .head(since: now) }
    }

    /// Records the end of a request's header fields.
    mutating func readHead(at now: UInt64) {
        phase = .body(since: now)
        unanswered += 1
    }

    /// Records the end of a request.
    mutating func readEnd(at now: UInt64) {
        // A new request must not extend the deadline of an earlier response that is still due.
        if dueResponses == 0 { since = now }
        phase = .idle
    }

    /// Records that a whole response was passed to the channel, and must now be accepted by the socket.
    mutating func beganSending(at now: UInt64) {
        if unsent == nil { unsent = (.max, now) }
    }

    /// Records the number of bytes that the socket has not accepted.
    ///
    /// - Returns: whether the socket has accepted bytes since the last call.
    @discardableResult
    mutating func stillUnsent(_ bytes: Int, at now: UInt64) -> Bool {
        guard let last = unsent else { return false }
        unsent = (bytes, bytes < last.bytes ? now : last.since)
        return bytes < last.bytes
    }

    /// Records that a response was sent completely.
    ///
    /// - Parameter isLast: whether no other response is being sent.
    mutating func wroteEnd(at now: UInt64, isLast: Bool) {
        unanswered = max(0, unanswered - 1)
        since = now
        unsent = isLast ? nil : (.max, now)
    }

    /// The deadline of the current phase.
    var deadline: UInt64 {
        let response = min(
            dueResponses > 0 ? since + timeouts.response : .max, unsent.map { $0.since + timeouts.stall } ?? .max)
        return switch phase {
        case .head(let since): min(response, since + timeouts.head)
        case .body(let since): min(response, since + timeouts.body)
        case .idle:
            dueResponses > 0 || unsent != nil
                ? response : since + (hasReceivedBytes ? timeouts.idle : min(timeouts.idle, timeouts.head))
        }
    }

    /// Checks the deadline at a point in time. `bodyTimeout` is returned at most once per request.
    mutating func check(at now: UInt64) -> Expiry {
        guard now >= deadline else { return .wait(until: deadline) }
        if let unsent, now >= unsent.since + timeouts.stall { return .stalled }
        if dueResponses > 0, now >= since + timeouts.response { return .close }
        switch phase {
        case .idle: return .close
        case .head: return unanswered == 0 ? .headTimeout : .close
        case .body:
            // The request counts as received, so that the response timeout starts now.
            readEnd(at: now)
            return .bodyTimeout
        }
    }
}
