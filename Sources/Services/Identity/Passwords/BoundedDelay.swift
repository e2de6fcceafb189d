internal import Reactor

/// Delays callers. When it is full, the next caller releases the longest waiting one early.
///
/// It refuses no caller. Delayed messages count against the worker's prefetch, so the capacity must be lower
/// than the prefetch; otherwise no other message reaches the worker while callers wait.
@Loop final class BoundedDelay {
    private let capacity: Int
    private var waiters: [Waiter<Void>] = []

    /// Makes a delay without callers.
    ///
    /// - Parameter capacity: the most callers that wait at once.
    nonisolated init(capacity: Int) {
        self.capacity = capacity
    }

    /// The number of callers that wait now.
    var count: Int { waiters.count }

    /// Waits for a time, or until a later caller needs the place or the task is cancelled.
    func wait(for time: Duration) async {
        let waiter = Waiter<Void>()
        while waiters.count >= capacity, !waiters.isEmpty { waiters.removeFirst().resume() }
        waiters.append(waiter)
        _ = await waiter.wait(until: .now + time)
        waiters.removeAll { $0 === waiter }
    }
}
