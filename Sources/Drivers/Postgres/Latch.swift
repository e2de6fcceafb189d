internal import Reactor

/// Something that happens once: tasks wait for it, until a deadline or their cancellation at the latest.
@Loop final class Latch {
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0
    private(set) var isOpen = false

    nonisolated init() {}

    func open() {
        isOpen = true
        let waiters = waiters
        self.waiters = [:]
        for waiter in waiters.values { waiter.finish() }
    }

    /// Waits until it is open.
    ///
    /// - Returns: whether it is; false where the deadline passed or the task was cancelled before.
    func wait(until deadline: ContinuousClock.Instant? = nil) async -> Bool {
        guard !isOpen else { return true }
        let waiter = Waiter()
        let number = nextWaiter
        nextWaiter += 1
        waiters[number] = waiter
        let timer = deadline.map { Loop.schedule(at: $0) { waiter.finish() } }
        await withTaskCancellationHandler {
            await waiter.wait()
        } onCancel: {
            Loop.perform { waiter.finish() }
        }
        timer?.cancel()
        waiters[number] = nil
        return isOpen
    }
}

/// One waiting task. It may be told to go on before it has begun to wait.
@Loop final class Waiter {
    private var continuation: CheckedContinuation<Void, Never>?
    private var isFinished = false

    func finish() {
        isFinished = true
        continuation?.resume()
        continuation = nil
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            if isFinished { continuation.resume() } else { self.continuation = continuation }
        }
    }
}
