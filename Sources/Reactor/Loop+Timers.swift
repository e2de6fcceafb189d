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
        let sleeper = Sleeper()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                sleeper.start(delay, continuation)
            }
        } onCancel: {
            shared.eventLoop.perform { assumeIsolated { sleeper.finish() } }
        }
        try Task.checkCancellation()
    }
}

/// One sleeping task: its continuation is resumed by the timer or by the cancellation, whichever comes first.
@Loop private final class Sleeper {
    private var continuation: CheckedContinuation<Void, Never>?
    private var timer: LoopTimer?
    private var isFinished = false

    nonisolated init() {}

    func start(_ delay: Duration, _ continuation: CheckedContinuation<Void, Never>) {
        guard !isFinished else { return continuation.resume() }
        self.continuation = continuation
        timer = Loop.schedule(after: delay) { self.finish() }
    }

    func finish() {
        isFinished = true
        timer?.cancel()
        timer = nil
        continuation?.resume()
        continuation = nil
    }
}
