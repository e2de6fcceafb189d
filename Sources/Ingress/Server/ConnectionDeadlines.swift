/// How long each phase of a connection may last, in nanoseconds.
struct ConnectionLimits: Sendable, Hashable {
    /// Between an answer and the first byte of the next request.
    var idle: UInt64
    /// From connecting to the first byte, and from a request's first byte to the end of its fields.
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
    /// Whether any byte has come.
    private var hasBegun = false
    /// Since when nothing is under way, or the next answer is due.
    private var since: UInt64
    /// How many requests have begun whose answers are not yet with the client's side of the network.
    private(set) var unanswered = 0

    init(limits: ConnectionLimits, now: UInt64) {
        self.limits = limits
        since = now
    }

    /// Whether a request's body is under way.
    var isReadingBody: Bool { if case .body = reading { true } else { false } }

    /// How many requests have come to their end and are not answered.
    private var due: Int { max(0, unanswered - (isReadingBody ? 1 : 0)) }

    /// Bytes have come, before anyone has looked at them.
    mutating func readBytes(at now: UInt64) {
        hasBegun = true
        if reading == .nothing { reading = .head(since: now) }
    }

    /// The fields of a request have come.
    mutating func readHead(at now: UInt64) {
        reading = .body(since: now)
        unanswered += 1
    }

    /// A request has come to its end.
    mutating func readEnd(at now: UInt64) {
        // While another answer is due, its time goes on: who asks again has not read it yet.
        if due == 0 { since = now }
        reading = .nothing
    }

    /// An answer has left to its end.
    mutating func wroteEnd(at now: UInt64) {
        unanswered = max(0, unanswered - 1)
        since = now
    }

    /// When the present phase is over.
    var deadline: UInt64 {
        let answered = due > 0 ? since + limits.answer : .max
        return switch reading {
        case .head(let since): min(answered, since + limits.head)
        case .body(let since): min(answered, since + limits.body)
        case .nothing: due > 0 ? answered : since + (hasBegun ? limits.idle : min(limits.idle, limits.head))
        }
    }

    /// What a moment means for the present phase.
    mutating func expire(at now: UInt64) -> Expiry {
        guard now >= deadline else { return .wait(until: deadline) }
        if due > 0, now >= since + limits.answer { return .close }
        switch reading {
        case .nothing: return .close
        case .head: return unanswered == 0 ? .headTooSlow : .close
        case .body:
            // Said once; from here the answer's own time counts.
            readEnd(at: now)
            return .bodyTooSlow
        }
    }
}
