import Glibc
import Synchronization

/// A process that another thread kills, maybe before its pid is known.
final class DeferredKill: Sendable {
    private struct State {
        var pid: pid_t?
        var isKilled = false
    }

    private let state = Mutex(State())

    /// Whether ``kill()`` was called.
    var wasKilled: Bool { state.withLock { $0.isKilled } }

    func set(_ pid: pid_t) {
        state.withLock { state in
            state.pid = pid
            if state.isKilled { Glibc.kill(pid, SIGKILL) }
        }
    }

    /// Kills the process. A second call does nothing, because the pid may then belong to another process.
    func kill() {
        state.withLock { state in
            guard !state.isKilled else { return }
            state.isKilled = true
            if let pid = state.pid { Glibc.kill(pid, SIGKILL) }
        }
    }
}
