/// A timer of the loop. It fires even if no copy of this value is kept; only ``cancel()`` stops it.
package struct LoopTimer: Sendable {
    let id: UInt64

    /// Cancels the timer. Does nothing if it has already fired.
    @Loop package func cancel() {
        Loop.shared.eventLoop.core.cancelTimer(id)
    }
}

extension Loop {
    /// Runs a closure on the loop at an instant. The closure never runs early. It may run a millisecond late, or later
    /// if the loop is busy.
    @Loop @discardableResult
    package static func schedule(
        at instant: ContinuousClock.Instant, _ handler: @escaping @Loop () -> Void
    ) -> LoopTimer {
        LoopTimer(id: shared.eventLoop.core.schedule(at: instant) { assumeIsolated(handler) })
    }

    /// Runs a closure on the loop after a delay. The closure never runs early. It may run a millisecond late, or later
    /// if the loop is busy.
    @Loop @discardableResult
    package static func schedule(after delay: Duration, _ handler: @escaping @Loop () -> Void) -> LoopTimer {
        schedule(at: ContinuousClock.now + delay, handler)
    }

    /// Suspends the calling task for a time, with a timer of the loop.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    @Loop package static func sleep(for delay: Duration) async throws {
        try Task.checkCancellation()
        _ = await Waiter<Void>().wait(until: .now + delay)
        try Task.checkCancellation()
    }
}
