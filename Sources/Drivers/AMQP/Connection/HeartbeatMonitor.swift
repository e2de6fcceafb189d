/// When to send a heartbeat and when to give the peer up (AMQP 0-9-1, section 4.2.7).
struct HeartbeatMonitor {
    enum Verdict: Equatable {
        case fine
        /// Nothing was sent for half an interval: send a heartbeat.
        case mustSend
        /// Nothing was received for two intervals: the peer is gone.
        case silent
    }

    let interval: Duration
    private var lastSent: ContinuousClock.Instant
    private var lastReceived: ContinuousClock.Instant

    init(interval: Duration, now: ContinuousClock.Instant) {
        self.interval = interval
        lastSent = now
        lastReceived = now
    }

    /// How often to ask for a verdict.
    var period: Duration { interval / 4 }

    mutating func sent(at now: ContinuousClock.Instant) { lastSent = now }

    mutating func received(at now: ContinuousClock.Instant) { lastReceived = now }

    func verdict(at now: ContinuousClock.Instant) -> Verdict {
        if now - lastReceived >= interval * 2 { return .silent }
        return now - lastSent >= interval / 2 ? .mustSend : .fine
    }
}
