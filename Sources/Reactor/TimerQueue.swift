internal import HeapModule

/// The timers of a loop, as a heap ordered by deadline.
///
/// A cancelled entry stays in the heap until it reaches the top. All cancelled entries are removed earlier if they far
/// outnumber the live entries.
struct TimerQueue {
    private struct Entry: Comparable {
        let deadline: ContinuousClock.Instant
        let id: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            left.deadline == right.deadline ? left.id < right.id : left.deadline < right.deadline
        }
    }

    private var heap = Heap<Entry>()
    private var handlers: [UInt64: () -> Void] = [:]
    private var nextID: UInt64 = 1

    /// The number of timers that have neither fired nor been cancelled.
    var count: Int { handlers.count }

    /// The number of entries in the heap, including cancelled ones.
    var storedCount: Int { heap.count }

    mutating func insert(at deadline: ContinuousClock.Instant, _ handler: @escaping () -> Void) -> UInt64 {
        defer { nextID += 1 }
        heap.insert(Entry(deadline: deadline, id: nextID))
        handlers[nextID] = handler
        return nextID
    }

    mutating func cancel(_ id: UInt64) {
        guard handlers.removeValue(forKey: id) != nil else { return }
        if heap.count > 2 * handlers.count + 64 {
            heap = Heap(heap.unordered.filter { handlers[$0.id] != nil })
        }
    }

    /// Returns the earliest deadline of the timers that are not cancelled, or `nil` if there is none. Removes cancelled
    /// entries from the top of the heap.
    mutating func next() -> ContinuousClock.Instant? {
        while let first = heap.min {
            if handlers[first.id] != nil { return first.deadline }
            heap.removeMin()
        }
        return nil
    }

    /// Removes the earliest timer and returns its handler, or returns `nil` if the timer's deadline is after `now`.
    mutating func popDue(at now: ContinuousClock.Instant) -> (() -> Void)? {
        guard let deadline = next(), deadline <= now else { return nil }
        return handlers.removeValue(forKey: heap.removeMin().id)
    }
}
