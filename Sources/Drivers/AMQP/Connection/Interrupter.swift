internal import Glibc
internal import Synchronization

/// Ends a set-up that blocks on another thread, by shutting its socket down.
final class Interrupter: Sendable {
    private struct State {
        var descriptor: Int32?
        var isInterrupted = false
    }

    private let state = Mutex(State())

    /// Names the socket; it must be taken back with ``disarm()`` before it is closed.
    ///
    /// - Returns: false where the set-up has been interrupted already.
    func arm(_ descriptor: Int32) -> Bool {
        state.withLock { state in
            guard !state.isInterrupted else { return false }
            state.descriptor = descriptor
            return true
        }
    }

    func disarm() {
        state.withLock { $0.descriptor = nil }
    }

    func interrupt() {
        state.withLock { state in
            state.isInterrupted = true
            // shutdown(2) wakes whoever polls the socket and leaves the descriptor to its owner.
            if let descriptor = state.descriptor { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }
}
