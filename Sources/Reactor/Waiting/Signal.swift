/// An event that happens once. Any number of tasks can wait for it.
@Loop package final class Signal {
    /// Whether the signal has fired.
    package private(set) var isFired = false
    private var waiters: [Waiter<Void>] = []

    /// Makes a signal that has not fired.
    package nonisolated init() {}

    /// Fires the signal: every waiting task continues, and later waits return at once.
    package func fire() {
        guard !isFired else { return }
        isFired = true
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.resume() }
    }

    /// Waits until the signal fires, the deadline passes or the task is cancelled.
    ///
    /// - Parameter deadline: when to stop waiting; `nil` waits without a limit.
    /// - Returns: whether the signal has fired.
    package func wait(until deadline: ContinuousClock.Instant? = nil) async -> Bool {
        guard !isFired else { return true }
        return await register().wait(until: deadline) != nil
    }

    /// Waits as ``wait(until:)`` does, with a time limit instead of a deadline.
    package func wait(within limit: Duration) async -> Bool {
        await wait(until: .now + limit)
    }

    /// Waits until the signal fires or the time limit passes. A cancellation of the task does not end the wait. This is
    /// for clean-up that must be complete before the task returns.
    ///
    /// - Parameter limit: the time limit; `nil` waits without a limit.
    /// - Returns: whether the signal has fired.
    package func waitThroughCancellation(within limit: Duration? = nil) async -> Bool {
        guard !isFired else { return true }
        return await register().waitThroughCancellation(until: limit.map { .now + $0 }) != nil
    }

    private func register() -> Waiter<Void> {
        waiters.removeAll { $0.isEnded }
        let waiter = Waiter<Void>()
        waiters.append(waiter)
        return waiter
    }
}
