import Reactor

/// A barrier at which tasks wait. It opens when a number of tasks have arrived or when ``open()`` is called. It also
/// opens when a waiting task is cancelled, so that a failed test ends.
@Loop final class Barrier {
    private let needed: Int
    private(set) var arrived = 0
    private let opened = Signal()

    /// - Parameter needed: the number of arrivals that opens the barrier.
    nonisolated init(opensAfter needed: Int = .max) {
        self.needed = needed
    }

    /// Waits until the barrier opens.
    func pass() async {
        arrived += 1
        if arrived >= needed { open() }
        if await !opened.wait() { open() }
    }

    func open() {
        opened.fire()
    }
}

/// An error after which a retry can succeed.
struct TransientFailure: Error {}
