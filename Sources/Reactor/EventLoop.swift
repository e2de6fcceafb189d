internal import CLinux
internal import Glibc
internal import Synchronization

/// An epoll loop that is also a Swift executor: jobs, timers and descriptor handlers run on its own thread.
///
/// A turn of the loop runs the ready jobs, then the end-of-turn hooks, then waits in epoll. This batches work that
/// arrives together: sockets are flushed and deliveries are acknowledged once per turn.
///
/// `enqueue` and `perform` can be called on any thread, `stop` on any thread except the loop's. Timers, hooks and
/// descriptor watches can be used only on the loop's thread.
// Unchecked: only the loop's thread uses `core`, except for `core.wake()`, which is safe on any thread. The other
// properties are immutable, atomic or protected by a mutex.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    struct Inbox {
        var jobs: [UnownedJob] = []
        var calls: [@Sendable () -> Void] = []
        var isWoken = false
        var isStopping = false
    }

    /// The maximum number of rounds of ready jobs in one turn. After them the loop checks the descriptors, even if more
    /// jobs are ready.
    private static let roundsPerTurn = 32

    let inbox = Mutex(Inbox())
    let core: Core
    private let threadID = Atomic<UInt>(0)
    private let thread = Mutex<pthread_t?>(nil)

    /// Makes the loop and starts its thread. The thread keeps the loop alive until ``stop()``.
    ///
    /// - Parameter name: the thread's name in the kernel, in ASCII; the first 15 characters are used.
    /// - Throws: ``SystemError`` if a descriptor or the thread cannot be created.
    package init(name: String = "loop") throws(SystemError) {
        core = try Core()
        let started = try startThread { self.run(name: name) }
        thread.withLock { $0 = started }
    }

    /// Runs the ready jobs, ends the loop's thread, and waits until the thread has ended. A second call does nothing.
    ///
    /// Must not be called on the loop's thread, because the thread would wait for itself.
    package func stop() {
        let handle = thread.withLock { current in
            defer { current = nil }
            return current
        }
        guard let handle else { return }
        inbox.withLock { $0.isStopping = true }
        core.wake()
        pthread_join(handle, nil)
    }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isOnLoop {
            core.ready.append(job)
            return
        }
        addToInbox { $0.jobs.append(job) }
    }

    /// Runs a closure on the loop's thread soon, never inside this call. The closures that one thread passes run in the
    /// order of its calls.
    package func perform(_ call: @escaping @Sendable () -> Void) {
        if isOnLoop {
            core.calls.append(call)
            return
        }
        addToInbox { $0.calls.append(call) }
    }

    /// Adds work from another thread. Only the first addition after the loop has emptied its inbox wakes the loop.
    private func addToInbox(_ add: (inout Inbox) -> Void) {
        let mustWake = inbox.withLock { inbox in
            add(&inbox)
            defer { inbox.isWoken = true }
            return !inbox.isWoken
        }
        if mustWake { core.wake() }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    package func checkIsolated() {
        requireLoop()
    }

    package func isIsolatingCurrentContext() -> Bool? {
        isOnLoop
    }

    /// Whether the caller runs on the loop's thread.
    package var isOnLoop: Bool {
        threadID.load(ordering: .relaxed) == UInt(pthread_self())
    }

    /// Traps if the caller does not run on the loop's thread.
    func requireLoop() {
        precondition(isOnLoop, "must be called on the event loop's thread")
    }

    // MARK: The loop

    private func run(name: String) {
        threadID.store(UInt(pthread_self()), ordering: .relaxed)
        _ = pthread_setname_np(pthread_self(), String(name.prefix(15)))
        let serial = asUnownedSerialExecutor()
        let task = asUnownedTaskExecutor()
        while true {
            var round = 0
            repeat {
                emptyInbox()
                core.runReady(serial: serial, task: task)
                round += 1
            } while core.hasReady && round < Self.roundsPerTurn
            core.runHooks()
            if !core.hasReady && mustStop() { break }
            core.wait(block: !core.hasReady)
        }
        threadID.store(0, ordering: .relaxed)
    }

    private func emptyInbox() {
        inbox.withLock { inbox in
            inbox.isWoken = false
            if !inbox.calls.isEmpty {
                core.calls.append(contentsOf: inbox.calls)
                inbox.calls.removeAll(keepingCapacity: true)
            }
            guard !inbox.jobs.isEmpty else { return }
            if core.ready.isEmpty {
                swap(&core.ready, &inbox.jobs)
            } else {
                core.ready.append(contentsOf: inbox.jobs)
                inbox.jobs.removeAll(keepingCapacity: true)
            }
        }
    }

    private func mustStop() -> Bool {
        inbox.withLock { $0.isStopping && $0.jobs.isEmpty && $0.calls.isEmpty }
    }
}
