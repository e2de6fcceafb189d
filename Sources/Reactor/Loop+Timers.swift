/// A timer that waits on the loop; letting go of it does not cancel it.
package struct LoopTimer: Sendable {
    let id: UInt64

    /// Takes the timer back; does nothing once it has fired.
    @Loop package func cancel() {
        Loop.shared.eventLoop.core.cancelTimer(id)
    }
}

extension Loop {
    /// Runs a closure on the loop at an instant, to the millisecond and never early.
    @Loop @discardableResult
    package static func schedule(
        at instant: ContinuousClock.Instant, _ handler: @escaping @Loop () -> Void
    ) -> LoopTimer {
        LoopTimer(id: shared.eventLoop.core.schedule(at: instant) { assumeIsolated(handler) })
    }

    /// Runs a closure on the loop after a time, to the millisecond and never early.
    @Loop @discardableResult
    package static func schedule(after delay: Duration, _ handler: @escaping @Loop () -> Void) -> LoopTimer {
        schedule(at: ContinuousClock.now + delay, handler)
    }

    /// Suspends the calling task for a time, on the loop's own timers.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    @Loop package static func sleep(for delay: Duration) async throws {
        try Task.checkCancellation()
        _ = await Waiter<Void>().wait(until: .now + delay)
        try Task.checkCancellation()
    }
}
