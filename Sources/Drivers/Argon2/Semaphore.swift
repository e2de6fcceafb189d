internal import Reactor

/// Limits how many tasks compute at the same time. Waiting tasks get permits in the order of their calls.
@Loop final class Semaphore {
    private var available: Int
    private(set) var waiters: [Waiter<Void>] = []

    nonisolated init(_ count: Int) {
        available = count
    }

    /// Takes a permit, or waits until a permit is available. Return the permit with ``release()``.
    ///
    /// - Returns: `false` if the task was cancelled before it got a permit.
    func acquire() async -> Bool {
        guard !Task.isCancelled else { return false }
        guard available == 0 else {
            available -= 1
            return true
        }
        let waiter = Waiter<Void>()
        waiters.append(waiter)
        if await waiter.wait() != nil { return true }
        waiters.removeAll { $0 === waiter }
        return false
    }

    /// Returns a permit. The first waiting task gets it; if no task waits, it becomes available.
    func release() {
        while !waiters.isEmpty {
            let waiter = waiters.removeFirst()
            // A cancelled task may still be in `waiters`. It must not get the permit.
            guard waiter.isEnded else { return waiter.resume() }
        }
        available += 1
    }
}
