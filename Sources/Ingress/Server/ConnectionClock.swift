/// How long each phase of a connection may last, in nanoseconds.
struct ConnectionLimits: Sendable, Hashable {
    /// Between connecting or an answer and the first byte of the next request.
    var idle: UInt64
    /// From a request's first byte to the end of its fields.
    var head: UInt64
    /// From the end of the fields to the end of the body.
    var body: UInt64
    /// From the end of a request to the end of its answer, the client's reading it included.
    var answer: UInt64
}

/// The phases of a connection and their deadlines, as a state machine that does no I/O; times are nanoseconds.
struct ConnectionClock: Sendable {
    private enum Reading: Sendable, Hashable {
        case nothing
        case head(since: UInt64)
        case body(since: UInt64)
    }

    /// What must be done once a deadline has come.
    enum Expiry: Sendable, Hashable {
        /// Nothing yet; look again then.
        case wait(until: UInt64)
        /// The connection is of no more use.
        case close
        /// A request's fields came too slowly.
        case headTooSlow
        /// A request's body came too slowly.
        case bodyTooSlow
    }

    private let limits: ConnectionLimits
    private var reading = Reading.nothing
    private var since: UInt64
    /// How many requests have begun and are not answered to the end.
    private(set) var unanswered = 0

    init(limits: ConnectionLimits, now: UInt64) {
        self.limits = limits
        since = now
    }

    /// Whether a request's body is under way.
    var isReadingBody: Bool { if case .body = reading { true } else { false } }

    /// Bytes have come, before anyone has looked at them.
    mutating func readBytes(at now: UInt64) {
        if reading == .nothing { reading = .head(since: now) }
    }

    /// The fields of a request have come.
    mutating func readHead(at now: UInt64) {
        reading = .body(since: now)
        unanswered += 1
    }

    /// A request has come to its end.
    mutating func readEnd(at now: UInt64) {
        reading = .nothing
        since = now
    }

    /// An answer was written to its end.
    mutating func wroteEnd(at now: UInt64) {
        unanswered = max(0, unanswered - 1)
        since = now
    }

    /// When the present phase is over.
    var deadline: UInt64 {
        switch reading {
        case .head(let since): since + limits.head
        case .body(let since): since + limits.body
        case .nothing: since + (unanswered == 0 ? limits.idle : limits.answer)
        }
    }

    /// What a moment means for the present phase.
    mutating func expire(at now: UInt64) -> Expiry {
        guard now >= deadline else { return .wait(until: deadline) }
        switch reading {
        case .nothing: return .close
        case .head: return unanswered == 0 ? .headTooSlow : .close
        case .body:
            // Said once; from here the answer's own time counts.
            reading = .nothing
            since = now
            return .bodyTooSlow
        }
    }
}
