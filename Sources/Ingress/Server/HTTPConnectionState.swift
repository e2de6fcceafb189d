internal import Contracts
internal import NIOCore

/// The state of one HTTP connection, as a state machine that does no I/O: which responses are due, and how the
/// connection ends after the last one. Times are in nanoseconds.
struct HTTPConnectionState {
    /// The action that the channel handler performs after an event.
    enum Action: Hashable {
        case none
        /// Write the response to this problem, then close.
        case refuse(Problem)
        /// Close the output, discard the input for a moment, then close.
        case shutDown
        /// Close at once.
        case close
        /// Pass the error to the reader of the body, which responds.
        case failBody
    }

    /// The handling of a part of a request.
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
        /// Input is discarded. The due responses are still written, then the problem if there is one.
        case ending(Problem?)
        /// The last response is being made, or waits for the socket.
        case lastResponse
        /// The output is closed.
        case shutDown
    }

    /// The maximum number of body bytes that are read after the response, so that the connection can be reused.
    private static let drainLimit = 64 * 1024

    private(set) var deadlines: ConnectionDeadlines
    private var stage = Stage.open
    /// The persistence of the connection after each response that is due.
    private var dueResponses = CircularBuffer<RequestHead.Persistence>(initialCapacity: 1)
    private var isWritingResponse = false
    /// Whether the response being written is the last one.
    private var closesAfterResponse = false
    /// The number of responses that are written but not yet accepted by the socket.
    private var unsentResponses = 0
    /// Whether the request being read is the last one.
    private var isLastRequest = false
    private var isQuiescing = false
    private var drainedBytes = 0

    init(timeouts: ConnectionTimeouts, now: UInt64) {
        deadlines = ConnectionDeadlines(timeouts: timeouts, now: now)
    }

    private var isOpen: Bool { if case .open = stage { true } else { false } }
    private var isRefusing: Bool { if case .ending(.some) = stage { true } else { false } }
    private var hasResponses: Bool { !dueResponses.isEmpty || unsentResponses > 0 }

    var isShutDown: Bool { if case .shutDown = stage { true } else { false } }
    var isSendingLastResponse: Bool { if case .lastResponse = stage { true } else { false } }
    var mayWriteInformational: Bool { isOpen }
    var mayWriteBody: Bool { isWritingResponse }
}

// Input.
extension HTTPConnectionState {
    /// Bytes arrived and are about to be parsed.
    mutating func readBytes(at now: UInt64) {
        if isOpen { deadlines.readBytes(at: now) }
    }

    /// A request's head was parsed; its parts follow.
    mutating func expectRequest(_ persistence: RequestHead.Persistence) {
        guard isOpen else { return }
        dueResponses.append(persistence)
        // A server must not process requests that follow one with `Connection: close` (RFC 9112, section 9.6).
        isLastRequest = persistence == .close
    }

    mutating func readHead(at now: UInt64) -> ReadAction {
        guard isOpen else { return .discard }
        drainedBytes = 0
        deadlines.readHead(at: now)
        return .pass
    }

    mutating func readBody(_ count: Int) -> ReadAction {
        guard isOpen else { return .discard }
        // If the response is already written, the rest of the body is read only to reach the next request.
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

    /// The input is malformed.
    mutating func parseFailed(_ problem: Problem, at now: UInt64) -> Action {
        guard isOpen else { return .none }
        guard deadlines.isReadingBody else { return refuse(problem, at: now) }
        // If the response to this request is already written, a second one would not belong to any request.
        guard !dueResponses.isEmpty else { return .shutDown }
        isLastRequest = true
        return .failBody
    }

    /// The server stops: responses that are due are completed, and no new request is read.
    mutating func quiesce() -> Action {
        isQuiescing = true
        return isOpen && !hasResponses ? .close : .none
    }

    mutating func checkDeadline(at now: UInt64) -> Action {
        switch deadlines.check(at: now) {
        case .wait: return .none
        case .close: return .close
        case .headTimeout: return isOpen ? refuse(Problem(.requestTimeout), at: now) : .close
        case .bodyTimeout:
            // If no response is due, it was written before the body arrived.
            guard !dueResponses.isEmpty, isOpen else { return .close }
            isLastRequest = true
            return .failBody
        }
    }
}

// Output.
extension HTTPConnectionState {
    /// The head of a response is about to be written.
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

    /// The end of a response is about to be written.
    ///
    /// - Returns: whether it may be written.
    mutating func endResponse() -> Bool {
        guard isWritingResponse else { return false }
        isWritingResponse = false
        dueResponses.removeFirst()
        if closesAfterResponse { stage = .lastResponse }
        unsentResponses += 1
        return true
    }

    /// The socket has accepted a response. The response timeout lasts until then, so that it also covers a client
    /// that does not read.
    mutating func responseSent(at now: UInt64) -> Action {
        unsentResponses -= 1
        deadlines.wroteEnd(at: now)
        guard unsentResponses == 0 else { return .none }
        switch stage {
        case .ending(let problem?) where dueResponses.isEmpty: return refuse(problem, at: now)
        case .ending where dueResponses.isEmpty, .lastResponse: return .shutDown
        case .open where isQuiescing && dueResponses.isEmpty: return .shutDown
        default: return .none
        }
    }

    /// Refuses input that is not a request; earlier requests are answered first.
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

    /// The output is about to be closed, or the connection is gone.
    mutating func shutDown() {
        stage = .shutDown
    }
}
