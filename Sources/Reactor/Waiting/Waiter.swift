/// The wait of one task for a value. The wait ends once: with the value, at its deadline, or with a cancellation.
///
/// If the wait has ended before the task begins to wait, the task continues at once. Only one task can use a waiter;
/// several tasks can wait for one ``Signal``.
@Loop package final class Waiter<Value: Sendable> {
    private enum State {
        case registered
        case waiting(CheckedContinuation<Value?, Never>)
        case ended(Value?)
    }

    private var state = State.registered
    private var timer: LoopTimer?

    /// Makes a waiter that no task waits on yet.
    package nonisolated init() {}

    /// Whether the wait has ended, with a value or without one.
    package var isEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// Ends the wait with a value. Does nothing if the wait has already ended.
    package func resume(returning value: Value) {
        end(value)
    }

    /// Ends the wait without a value. Does nothing if the wait has already ended.
    package func cancel() {
        end(nil)
    }

    /// Waits until ``resume(returning:)`` or ``cancel()`` is called, the deadline passes, or the task is cancelled.
    ///
    /// - Parameter deadline: when to stop waiting; `nil` waits without a limit.
    /// - Returns: the value, or `nil` if the wait ended without one.
    package func wait(until deadline: ContinuousClock.Instant? = nil) async -> Value? {
        await withTaskCancellationHandler {
            await waitThroughCancellation(until: deadline)
        } onCancel: {
            Loop.perform { self.cancel() }
        }
    }

    /// Waits as ``wait(until:)`` does, but a cancellation of the task does not end the wait. This is for clean-up that
    /// must be complete before the task returns.
    package func waitThroughCancellation(until deadline: ContinuousClock.Instant? = nil) async -> Value? {
        await withCheckedContinuation { continuation in
            switch state {
            case .registered:
                state = .waiting(continuation)
                if let deadline { timer = Loop.schedule(at: deadline) { self.cancel() } }
            case .ended(let value):
                continuation.resume(returning: value)
            case .waiting:
                preconditionFailure("only one task can wait on a waiter")
            }
        }
    }

    private func end(_ value: Value?) {
        let previous = state
        if case .ended = previous { return }
        state = .ended(value)
        timer?.cancel()
        timer = nil
        if case .waiting(let continuation) = previous { continuation.resume(returning: value) }
    }
}

extension Waiter where Value == Void {
    /// Ends the wait. Does nothing if the wait has already ended.
    package func resume() {
        end(())
    }
}
