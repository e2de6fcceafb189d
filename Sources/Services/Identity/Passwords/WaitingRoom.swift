internal import Reactor

/// Holds what comes up for a time, but only so many at once: who comes past that sends on who has waited the longest.
///
/// Nobody is refused. What waits is in the worker's hands and counts towards its prefetch, so the room is smaller than
/// that: what need not wait finds its way past.
@Loop final class WaitingRoom {
    private let capacity: Int
    private var waiting: [Visitor] = []

    nonisolated init(capacity: Int) {
        self.capacity = capacity
    }

    /// How many wait now.
    var count: Int { waiting.count }

    /// Waits for a time at most; less where others need the room, or where the task is cancelled.
    func wait(for time: Duration) async {
        let visitor = Visitor()
        while waiting.count >= capacity, !waiting.isEmpty { waiting.removeFirst().leave() }
        waiting.append(visitor)
        await visitor.stay(for: time)
        waiting.removeAll { $0 === visitor }
    }
}

/// One who waits: sent on by the time, the room or the cancellation, whichever comes first.
@Loop private final class Visitor {
    private var continuation: CheckedContinuation<Void, Never>?
    private var timer: LoopTimer?
    private var hasLeft = false

    func stay(for time: Duration) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !hasLeft else { return continuation.resume() }
                self.continuation = continuation
                timer = Loop.schedule(after: time) { self.leave() }
            }
        } onCancel: {
            Loop.perform { self.leave() }
        }
    }

    func leave() {
        hasLeft = true
        timer?.cancel()
        timer = nil
        continuation?.resume()
        continuation = nil
    }
}
