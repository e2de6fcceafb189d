internal import Reactor

/// Something that happens once: tasks wait for it, until a deadline or their cancellation at the latest.
@Loop final class Latch {
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0
    private(set) var isOpen = false

    nonisolated init() {}

    func open() {
        isOpen = true
        let waiters = waiters
        self.waiters = [:]
        for waiter in waiters.values { waiter.resume() }
    }

    /// Waits until it is open.
    ///
    /// - Returns: whether it is; false where the deadline passed or the task was cancelled before.
    func wait(until deadline: ContinuousClock.Instant? = nil) async -> Bool {
        guard !isOpen else { return true }
        let waiter = nextWaiter
        nextWaiter += 1
        let timer = deadline.map { deadline in
            Loop.schedule(at: deadline) { self.waiters.removeValue(forKey: waiter)?.resume() }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiters[waiter] = continuation
            }
        } onCancel: {
            Loop.perform { self.waiters.removeValue(forKey: waiter)?.resume() }
        }
        timer?.cancel()
        return isOpen
    }
}
