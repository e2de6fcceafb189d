internal import Glibc
internal import Synchronization

/// Ends blocking calls of another thread by shutting down the socket that they use.
final class SocketInterrupter: Sendable {
    private struct State {
        var descriptor: Int32?
        var isInterrupted = false
    }

    private let state = Mutex(State())

    /// Sets the socket that ``interrupt()`` shuts down. The caller must call ``disarm()`` before the socket is closed,
    /// because the kernel may then give the descriptor to another file.
    ///
    /// - Returns: `false` if ``interrupt()`` has already been called.
    func arm(_ descriptor: Int32) -> Bool {
        state.withLock { state in
            guard !state.isInterrupted else { return false }
            state.descriptor = descriptor
            return true
        }
    }

    /// Whether ``interrupt()`` has been called.
    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    func disarm() {
        state.withLock { $0.descriptor = nil }
    }

    func interrupt() {
        state.withLock { state in
            state.isInterrupted = true
            // shutdown(2) wakes the threads that wait for the socket. It leaves the descriptor open, because the owner
            // closes it.
            if let descriptor = state.descriptor { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }
}
