internal import Reactor

/// Limits how many tasks compute at the same time. Waiting tasks get a permit in the order in which they asked.
@Loop final class Semaphore {
    private var available: Int
    private(set) var waiters: [Waiter<Void>] = []

    nonisolated init(_ count: Int) {
        available = count
    }

    /// Takes a permit, and waits for one if none is available. Return the permit with ``release()``.
    ///
    /// - Returns: `false`, without a permit, if the task was cancelled first.
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

    /// Returns a permit, which goes to the first waiting task.
    func release() {
        while !waiters.isEmpty {
            let waiter = waiters.removeFirst()
            // A cancelled task that has not left the line yet takes no permit.
            guard waiter.isEnded else { return waiter.resume() }
        }
        available += 1
    }
}
