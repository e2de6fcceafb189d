internal import Contracts
internal import NIOCore

/// The state of one HTTP connection, as a state machine that does no I/O. It records which responses are due and
/// decides how the connection ends after the last response. Times are in nanoseconds.
struct HTTPConnectionState {
    /// The action that the channel handler performs after an event.
    enum Action: Hashable {
        case none
        /// Write a response with this problem, then close the connection.
        case refuse(Problem)
        /// Close the output, discard input for a short time, then close the connection.
        case shutDown
        /// Close the connection at once.
        case close
        /// Close the connection at once, because the client does not read its response.
        case closeStalled
        /// The rest of the body will not arrive. The handler of the request responds with the problem, if it needs the
        /// body.
        case failBody(Problem)
    }

    /// The action that the channel handler performs with a part of a request.
    enum ReadAction {
        case pass, discard, shutDown
    }

    /// The `Connection` field of a response.
    enum ConnectionField {
        case unchanged, keepAlive, close
    }

    private enum Stage {
        /// Requests are read.
        case open
        /// Input is discarded. The due responses are still written. If there is a problem, a response with it follows.
        case ending(Problem?)
        /// The last response is being made or written.
        case lastResponse
        /// The output is closed.
        case shutDown
    }

    /// The maximum number of bytes of a body that are read and discarded after the response, so that the connection can
    /// be reused.
    private static let drainLimit = 64 * 1024

    /// The maximum number of bytes that the framing of a chunked body may have, in addition to ``framingFactor`` times
    /// the size of the body.
    private static let framingAllowance = 16 * 1024
    /// Only very small chunks, and chunk extensions, which nobody uses, need more.
    private static let framingFactor = 1

    private(set) var deadlines: ConnectionDeadlines
    private var stage = Stage.open
    /// For each response that is due, whether the connection is kept open after it.
    private var dueResponses = CircularBuffer<RequestHead.Persistence>(initialCapacity: 1)
    private var isWritingResponse = false
    /// Whether the response that is being written is the last one on the connection.
    private var closesAfterResponse = false
    /// The number of responses that are written but not yet accepted by the socket.
    private var unsentResponses = 0
    /// Whether the request that is being read is the last one on the connection.
    private var isLastRequest = false
    private var isQuiescing = false
    private var drainedBytes = 0
    /// The number of bytes that have arrived since the head of the request whose body is being read.
    private var inputBytes = 0
    /// The number of bytes of that body.
    private var bodyBytes = 0

    init(timeouts: ConnectionTimeouts, now: UInt64) {
        deadlines = ConnectionDeadlines(timeouts: timeouts, now: now)
    }

    private var isOpen: Bool { if case .open = stage { true } else { false } }
    private var isRefusing: Bool { if case .ending(.some) = stage { true } else { false } }
    /// Whether a request is being handled. Otherwise the connection waits for its client to send a request or to read
    /// a response.
    var awaitsReply: Bool {
        !dueResponses.isEmpty && !isWritingResponse && unsentResponses == 0 && !deadlines.isReadingBody
    }
    /// Whether responses are due or not yet sent.
    var hasResponses: Bool { !dueResponses.isEmpty || unsentResponses > 0 }

    /// Whether every response that was written is in the buffer of the socket.
    var hasSentAllResponses: Bool { unsentResponses == 0 }
    var isShutDown: Bool { if case .shutDown = stage { true } else { false } }
    var isSendingLastResponse: Bool { if case .lastResponse = stage { true } else { false } }
    var mayWriteInformational: Bool { isOpen }
    /// Whether a further request may be handled. After a response with `Connection: close`, none may (RFC 9112,
    /// section 9.6).
    var mayBeginRequest: Bool { !closesAfterResponse && !isSendingLastResponse && !isShutDown }
}

// Input.
extension HTTPConnectionState {
    /// Records that bytes arrived, before they are parsed.
    mutating func readBytes(_ count: Int, at now: UInt64) {
        guard isOpen else { return }
        deadlines.readBytes(at: now)
        inputBytes += count
    }

    /// Records that the bytes that arrived are parsed.
    ///
    /// - Returns: `failBody` if the framing of the body is far larger than the body, which is a way to keep the parser
    ///   busy without sending a body.
    mutating func parsedBytes(at now: UInt64) -> Action {
        guard isOpen, deadlines.isReadingBody,
            inputBytes > Self.framingAllowance + (1 + Self.framingFactor) * bodyBytes
        else { return .none }
        (inputBytes, bodyBytes) = (0, 0)
        return parseFailed(MalformedRequest.longFraming.problem, at: now)
    }

    /// Records that the head of a request was parsed. The parts of the request are read after this call.
    mutating func expectRequest(_ persistence: RequestHead.Persistence) {
        guard isOpen else { return }
        dueResponses.append(persistence)
        // A server must not process requests that follow one with `Connection: close` (RFC 9112, section 9.6).
        isLastRequest = persistence == .close
    }

    /// Refuses a request whose head was parsed, instead of ``readHead(at:)``.
    mutating func refuseRequest(_ problem: Problem, at now: UInt64) -> Action {
        guard isOpen else { return .none }
        dueResponses.removeLast()
        return refuse(problem, at: now)
    }

    mutating func readHead(at now: UInt64) -> ReadAction {
        guard isOpen else { return .discard }
        (drainedBytes, inputBytes, bodyBytes) = (0, 0, 0)
        deadlines.readHead(at: now)
        return .pass
    }

    mutating func readBody(_ count: Int) -> ReadAction {
        guard isOpen else { return .discard }
        bodyBytes += count
        // If the response is already written, the rest of the body is only read to reach the next request.
        if dueResponses.isEmpty {
            drainedBytes += count
            if drainedBytes > Self.drainLimit { return .shutDown }
        }
        return .pass
    }

    mutating func readEnd(at now: UInt64) -> ReadAction {
        guard isOpen else { return .discard }
        deadlines.readEnd(at: now)
        if isLastRequest { stage = .ending(nil) }
        return .pass
    }

    /// Records that the input is malformed.
    mutating func parseFailed(_ problem: Problem, at now: UInt64) -> Action {
        guard isOpen else { return .none }
        guard deadlines.isReadingBody else { return refuse(problem, at: now) }
        // If the response to this request is already written, no second response may be written.
        guard !dueResponses.isEmpty else { return .shutDown }
        isLastRequest = true
        return .failBody(Problem(.malformedRequest, detail: "The framing of the body is malformed."))
    }

    /// Records that the server stops. If no response is due, the connection is closed at once, otherwise after the
    /// responses that are due.
    mutating func quiesce() -> Action {
        isQuiescing = true
        return isOpen && !hasResponses ? .close : .none
    }

    mutating func checkDeadline(at now: UInt64) -> Action {
        switch deadlines.check(at: now) {
        case .wait: return .none
        case .close: return .close
        case .stalled: return .closeStalled
        case .headTimeout: return isOpen ? refuse(Problem(.requestTimeout), at: now) : .close
        case .bodyTimeout:
            // If no response is due, the response to this request is already written.
            guard !dueResponses.isEmpty, isOpen else { return .close }
            isLastRequest = true
            return .failBody(Problem(.requestTimeout, detail: "The body did not arrive in time."))
        }
    }
}

// Output.
extension HTTPConnectionState {
    /// Records that the head of a response is about to be written.
    ///
    /// - Parameter closes: whether the response itself asks to close the connection.
    /// - Returns: the `Connection` field to write; `nil` if no response may be written now.
    mutating func beginResponse(closes: Bool) -> ConnectionField? {
        guard !isSendingLastResponse, !isShutDown, !isWritingResponse, let persistence = dueResponses.first else {
            return nil
        }
        isWritingResponse = true
        let isLast = (isLastRequest || isQuiescing) && dueResponses.count == 1 && !isRefusing
        if closes || isLast {
            closesAfterResponse = true
            stage = .ending(nil)
            return .close
        }
        return persistence == .explicitKeepAlive ? .keepAlive : .unchanged
    }

    /// Records that the end of a response is about to be written.
    ///
    /// - Returns: whether the end may be written.
    mutating func endResponse(at now: UInt64) -> Bool {
        guard isWritingResponse else { return false }
        isWritingResponse = false
        dueResponses.removeFirst()
        if closesAfterResponse { stage = .lastResponse }
        unsentResponses += 1
        deadlines.beganSending(at: now)
        return true
    }

    /// Records the number of bytes of responses that the socket has not accepted.
    ///
    /// - Returns: whether the socket has accepted bytes since the last call.
    mutating func stillUnsent(_ bytes: Int, at now: UInt64) -> Bool {
        deadlines.stillUnsent(bytes, at: now)
    }

    /// Records that a response was written to the socket. The response timeout ends only now, so that a client
    /// that does not read its response cannot keep the connection open.
    mutating func responseSent(at now: UInt64) -> Action {
        unsentResponses -= 1
        deadlines.wroteEnd(at: now, isLast: unsentResponses == 0)
        guard unsentResponses == 0 else { return .none }
        switch stage {
        case .ending(let problem?) where dueResponses.isEmpty: return refuse(problem, at: now)
        case .ending where dueResponses.isEmpty, .lastResponse: return .shutDown
        case .open where isQuiescing && dueResponses.isEmpty: return .shutDown
        default: return .none
        }
    }

    /// Refuses an incomplete or malformed request. The responses to earlier requests are sent first.
    private mutating func refuse(_ problem: Problem, at now: UInt64) -> Action {
        guard !hasResponses else {
            stage = .ending(problem)
            return .none
        }
        stage = .lastResponse
        // The head timeout must not close the connection while the response is being made.
        deadlines.readEnd(at: now)
        unsentResponses += 1
        return .refuse(problem)
    }

    /// Records that the output is about to be closed or that the connection has ended.
    mutating func shutDown() {
        stage = .shutDown
    }
}
