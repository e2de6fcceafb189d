import Reactor

/// Holds tasks back until a number of them have arrived, until it is opened, or until one of them is cancelled, because
/// a failed test must end.
@Loop final class Barrier {
    private let needed: Int
    private(set) var arrived = 0
    private let opened = Signal()

    /// - Parameter needed: the number of arrivals that opens the barrier.
    nonisolated init(opensAfter needed: Int = .max) {
        self.needed = needed
    }

    func pass() async {
        arrived += 1
        if arrived >= needed { open() }
        if await !opened.wait() { open() }
    }

    func open() {
        opened.fire()
    }
}

/// An error that a retry can mend.
struct TransientFailure: Error {}
