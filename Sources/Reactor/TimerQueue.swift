internal import HeapModule

/// The timers of a loop: a heap by deadline, with cancelled entries left in it until they come up or outnumber the rest.
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

    /// How many timers wait.
    var count: Int { handlers.count }

    /// How many entries the heap holds, cancelled ones included.
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

    /// The deadline of the timer that comes up first.
    mutating func next() -> ContinuousClock.Instant? {
        while let first = heap.min {
            if handlers[first.id] != nil { return first.deadline }
            heap.removeMin()
        }
        return nil
    }

    /// Takes out the first timer whose deadline is not after `now`.
    mutating func popDue(at now: ContinuousClock.Instant) -> (() -> Void)? {
        guard let deadline = next(), deadline <= now else { return nil }
        return handlers.removeValue(forKey: heap.removeMin().id)
    }
}
