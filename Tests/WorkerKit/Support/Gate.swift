import Reactor

/// Holds tasks back until so many have come, until it is opened, or until one of them is cancelled: a test that has
/// failed must end.
@Loop final class Gate {
    private let needed: Int
    private(set) var arrived = 0
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameter needed: how many must come for it to open by itself.
    nonisolated init(opensAfter needed: Int = .max) {
        self.needed = needed
    }

    func pass() async {
        arrived += 1
        if arrived >= needed { open() }
        guard !isOpen else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if isOpen || Task.isCancelled { continuation.resume() } else { waiting.append(continuation) }
            }
        } onCancel: {
            Loop.perform { self.open() }
        }
    }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}

/// A failure that a retry mends.
struct Passing: Error {}
