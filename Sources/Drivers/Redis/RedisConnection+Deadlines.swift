internal import DequeModule
internal import Reactor

extension RedisConnection {
    /// The minimum time between two sweeps, so that one sweep times out many commands when thousands are in flight.
    private static let sweepInterval = Duration.milliseconds(2)

    /// Schedules the next sweep for timed-out commands at an instant, unless one is scheduled before it.
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
        if let silence = silenceEnd(), silence <= now {
            return close(RedisError(.connectionLost, "no data from the server for \(limits.silence)"))
        }
        var late: [@Loop (Result<RedisValue, RedisError>) -> Void] = []
        var next: ContinuousClock.Instant?
        for index in pending.indices {
            guard let completed = pending[index].completed else { continue }
            if pending[index].deadline <= now {
                pending[index].completed = nil
                late.append(completed)
            } else {
                next = min(next ?? pending[index].deadline, pending[index].deadline)
            }
        }
        if let silence = silenceEnd() { next = min(next ?? silence, silence) }
        if let next { scheduleSweep(notLaterThan: max(next, now + Self.sweepInterval)) }
        for completed in late {
            completed(.failure(RedisError(.timeout, "no reply in time")))
        }
    }

    /// The instant at which the connection counts as stalled: its oldest command has timed out, and no data has arrived
    /// for ``RedisLimits/silence``. `nil` if the oldest command has not timed out.
    private func silenceEnd() -> ContinuousClock.Instant? {
        guard let oldest = pending.first, oldest.completed == nil else { return nil }
        return max(lastReceived, oldest.sent) + limits.silence
    }
}
