internal import DequeModule
internal import Reactor

extension RedisConnection {
    /// The minimum time between two sweeps. If thousands of commands are in flight, one sweep can thus time out many of
    /// them.
    private static let sweepInterval = Duration.milliseconds(2)

    /// Schedules the next sweep at an instant, unless an earlier sweep is scheduled. A sweep fails the commands whose
    /// deadline has passed.
    ///
    /// The connection has one timer for all commands, so a command whose reply arrives in time needs no timer.
    func scheduleSweep(notLaterThan instant: ContinuousClock.Instant) {
        if let sweepInstant, sweepInstant <= instant { return }
        sweepTimer?.cancel()
        sweepInstant = instant
        sweepTimer = Loop.schedule(at: instant) { [weak self] in self?.sweep() }
    }

    private func sweep() {
        sweepInstant = nil
        guard isOpen, !pending.isEmpty else { return }
        let now = ContinuousClock.now
        if let stalled = stallInstant(), stalled <= now {
            return close(RedisError(.connectionLost, "no data from the server for \(limits.silence)"))
        }
        var timedOut: [@Loop (Result<RedisValue, RedisError>) -> Void] = []
        var next: ContinuousClock.Instant?
        for index in pending.indices {
            guard let completed = pending[index].completed else { continue }
            if pending[index].deadline <= now {
                pending[index].completed = nil
                timedOut.append(completed)
            } else {
                next = min(next ?? pending[index].deadline, pending[index].deadline)
            }
        }
        if let stalled = stallInstant() { next = min(next ?? stalled, stalled) }
        if let next { scheduleSweep(notLaterThan: max(next, now + Self.sweepInterval)) }
        for completed in timedOut {
            completed(.failure(RedisError(.timeout, "the server did not reply in time")))
        }
    }

    /// The instant at which the connection counts as stalled: its oldest command has timed out, and no data has arrived
    /// for ``RedisLimits/silence``. `nil` if the oldest command has not timed out.
    private func stallInstant() -> ContinuousClock.Instant? {
        guard let oldest = pending.first, oldest.completed == nil else { return nil }
        return max(lastReceived, oldest.sent) + limits.silence
    }
}
