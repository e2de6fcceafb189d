internal import Synchronization

/// A number of permits; who finds none waits in line, first come, first served.
final class Permits: Sendable {
    private struct State {
        var free: Int
        var line: [(id: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
        var nextID: UInt64 = 0
        /// Tasks that were cancelled between asking for a place in line and getting it.
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    /// How many wait in line.
    var waitingCount: Int { state.withLock { $0.line.count } }

    /// Takes a permit, which the caller gives back with ``release()``.
    ///
    /// - Returns: false, and no permit, where the task was cancelled before its turn.
    func acquire() async -> Bool {
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        // A cancellation that comes after the permit was given must not leave its mark behind.
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Bool? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return false }
                    guard state.free == 0 else {
                        state.free -= 1
                        return true
                    }
                    state.line.append((id, continuation))
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let waiting: CheckedContinuation<Bool, Never>? = state.withLock { state in
                guard let index = state.line.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.line.remove(at: index).continuation
            }
            waiting?.resume(returning: false)
        }
    }

    /// Gives a permit to whoever is first in line.
    func release() {
        let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
            guard state.line.isEmpty else { return state.line.removeFirst().continuation }
            state.free += 1
            return nil
        }
        next?.resume(returning: true)
    }
}
