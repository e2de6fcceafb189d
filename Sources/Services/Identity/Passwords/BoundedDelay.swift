internal import Reactor

/// Delays callers. If as many callers wait as the capacity allows, the next caller releases the caller that has
/// waited longest.
///
/// No caller is refused. The messages of waiting callers count against the worker's prefetch, so the capacity
/// must be lower than the prefetch; otherwise the worker receives no other messages while callers wait.
@Loop final class BoundedDelay {
    private let capacity: Int
    private var waiters: [Waiter<Void>] = []

    /// Makes a delay without callers.
    ///
    /// - Parameter capacity: the maximum number of callers that wait at once.
    nonisolated init(capacity: Int) {
        self.capacity = capacity
    }

    /// The number of callers that wait now.
    var count: Int { waiters.count }

    /// Waits until the time has passed, a later caller releases this one, or the task is cancelled.
    func wait(for time: Duration) async {
        let waiter = Waiter<Void>()
        while waiters.count >= capacity, !waiters.isEmpty { waiters.removeFirst().resume() }
        waiters.append(waiter)
        _ = await waiter.wait(until: .now + time)
        waiters.removeAll { $0 === waiter }
    }
}
