internal import Reactor

/// Something that comes to pass once and that tasks wait for.
@Loop final class Signal {
    private(set) var isFired = false
    private var waiters: [Waiter] = []

    /// Lets everyone on who waits, and everyone who comes later.
    func fire() {
        guard !isFired else { return }
        isFired = true
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.finish(true) }
    }

    /// Waits for it, or until a time has passed or the task is cancelled.
    ///
    /// - Returns: whether it has come to pass.
    func wait(within limit: Duration? = nil) async -> Bool {
        if isFired { return true }
        let waiter = add()
        return await withTaskCancellationHandler {
            await waiter.wait(within: limit)
        } onCancel: {
            Loop.perform { waiter.finish(false) }
        }
    }

    /// Waits as ``wait(within:)`` does, but on through a cancellation: for what must be over before a task may end.
    func waitThroughCancellation(within limit: Duration? = nil) async -> Bool {
        if isFired { return true }
        return await add().wait(within: limit)
    }

    private func add() -> Waiter {
        waiters.removeAll { $0.isFinished }
        let waiter = Waiter()
        waiters.append(waiter)
        return waiter
    }

    /// One waiting task, resumed once by whatever comes first.
    private final class Waiter: Sendable {
        @Loop private var continuation: CheckedContinuation<Bool, Never>?
        @Loop private var timer: LoopTimer?
        @Loop private var result: Bool?

        @Loop var isFinished: Bool { result != nil }

        @Loop func wait(within limit: Duration?) async -> Bool {
            await withCheckedContinuation { continuation in
                if let result { return continuation.resume(returning: result) }
                self.continuation = continuation
                if let limit { timer = Loop.schedule(after: limit) { self.finish(false) } }
            }
        }

        @Loop func finish(_ value: Bool) {
            guard result == nil else { return }
            result = value
            timer?.cancel()
            timer = nil
            continuation?.resume(returning: value)
            continuation = nil
        }
    }
}
