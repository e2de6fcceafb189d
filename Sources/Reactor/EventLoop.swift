internal import CLinux
internal import Glibc
internal import Synchronization

/// An epoll loop with its own thread, which is also a Swift executor: jobs, timers and descriptor handlers run on that
/// thread.
///
/// A turn of the loop runs the ready jobs, then the end-of-turn hooks, then waits in epoll. This batches work that
/// arrives together: sockets are flushed and deliveries are acknowledged once per turn.
///
/// `enqueue`, `perform` and `stop` can be called on any thread, all other functions only on the loop's thread.
// Unchecked: only the loop's thread uses `core` (`requireLoop` traps on other threads); the rest is immutable, atomic
// or protected by a mutex.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    struct Inbox {
        var jobs: [UnownedJob] = []
        var calls: [@Sendable () -> Void] = []
        var isWoken = false
        var isStopping = false
    }

    /// The maximum number of rounds of ready jobs before a turn checks the descriptors again.
    private static let roundsPerTurn = 32

    let inbox = Mutex(Inbox())
    let core: Core
    private let threadID = Atomic<UInt>(0)
    private let thread = Mutex<pthread_t?>(nil)

    /// Makes the loop and starts its thread, which keeps the loop alive until ``stop()``.
    ///
    /// - Parameter name: the name of the thread in the kernel, of which the first 15 bytes are used.
    /// - Throws: ``SystemError`` if a descriptor or the thread cannot be created.
    package init(name: String = "loop") throws(SystemError) {
        core = try Core()
        let started = try startThread { self.run(name: name) }
        thread.withLock { $0 = started }
    }

    /// Runs the jobs that are ready, then ends the loop's thread and waits for it. Does nothing if it has ended.
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
        putInInbox { $0.jobs.append(job) }
    }

    /// Runs a closure on the loop's thread in one of its next turns. Closures from one thread run in the order of
    /// their calls.
    package func perform(_ call: @escaping @Sendable () -> Void) {
        if isOnLoop {
            core.calls.append(call)
            return
        }
        putInInbox { $0.calls.append(call) }
    }

    /// Adds work from another thread. Only the first addition after the loop has emptied its inbox has to wake it.
    private func putInInbox(_ put: (inout Inbox) -> Void) {
        let mustWake = inbox.withLock { inbox in
            put(&inbox)
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

    func requireLoop() {
        precondition(isOnLoop, "called off the loop's thread")
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
                takeInbox()
                core.runReady(serial: serial, task: task)
                round += 1
            } while core.hasReady && round < Self.roundsPerTurn
            core.runHooks()
            if !core.hasReady && takeStop() { break }
            core.wait(block: !core.hasReady)
        }
        threadID.store(0, ordering: .relaxed)
    }

    private func takeInbox() {
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

    private func takeStop() -> Bool {
        inbox.withLock { $0.isStopping && $0.jobs.isEmpty && $0.calls.isEmpty }
    }
}
