internal import DequeModule
internal import Reactor

extension RedisConnection {
    /// Two sweeps are at least this far apart: with thousands of commands past their time one pass times out many.
    private static let sweepInterval = Duration.milliseconds(2)

    /// Sees to it that the commands are looked through at an instant or before.
    ///
    /// One timer serves the whole connection: a command that is answered in time costs no timer at all.
    func sweep(notLaterThan instant: ContinuousClock.Instant) {
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
            return close(RedisError(.connectionLost, "the server has been silent for \(limits.silence)"))
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
        if let next { sweep(notLaterThan: max(next, now + Self.sweepInterval)) }
        for completed in late {
            completed(.failure(RedisError(.timeout, "no reply in time")))
        }
    }

    /// When the connection counts as stalled: its oldest command has timed out, and nothing has come for a while.
    private func silenceEnd() -> ContinuousClock.Instant? {
        guard let oldest = pending.first, oldest.completed == nil else { return nil }
        return max(lastReceived, oldest.sent) + limits.silence
    }
}
