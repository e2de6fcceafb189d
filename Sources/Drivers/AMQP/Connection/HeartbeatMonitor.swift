/// Decides when to send a heartbeat and when to consider the peer dead (AMQP 0-9-1, section 4.2.7).
struct HeartbeatMonitor {
    /// The action that is due.
    enum Action: Equatable {
        case wait
        /// No data was sent for half an interval.
        case sendHeartbeat
        /// No data was received for two intervals.
        case close
    }

    let interval: Duration
    private var lastSent: ContinuousClock.Instant
    private var lastReceived: ContinuousClock.Instant

    init(interval: Duration, now: ContinuousClock.Instant) {
        self.interval = interval
        lastSent = now
        lastReceived = now
    }

    /// The time between two calls of ``action(at:)``.
    var period: Duration { interval / 4 }

    mutating func sent(at now: ContinuousClock.Instant) { lastSent = now }

    mutating func received(at now: ContinuousClock.Instant) { lastReceived = now }

    func action(at now: ContinuousClock.Instant) -> Action {
        if now - lastReceived >= interval * 2 { return .close }
        return now - lastSent >= interval / 2 ? .sendHeartbeat : .wait
    }
}
