internal import CLinux
internal import Glibc
internal import Synchronization

/// An epoll loop on a thread of its own, which is also a Swift executor: jobs, timers and descriptors all run there.
///
/// A turn runs the ready jobs, then the end-of-turn hooks, then waits in epoll. Work that arrives together is thereby
/// batched: sockets are flushed and deliveries acknowledged once a turn.
///
/// Everything except `enqueue`, `perform` and `stop` belongs to the loop's own thread.
// Unchecked: `core` is touched by the loop's thread alone (`requireLoop` traps otherwise); the rest is immutable,
// atomic or behind `inbox`'s mutex.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    struct Inbox {
        var jobs: [UnownedJob] = []
        var calls: [@Sendable () -> Void] = []
        var isWoken = false
        var isStopping = false
    }

    /// How many rounds of ready jobs a turn runs before it looks at the descriptors again.
    private static let roundsPerTurn = 32

    let inbox = Mutex(Inbox())
    let core: Core
    private let threadID = Atomic<UInt>(0)
    private let thread = Mutex<pthread_t?>(nil)

    /// Makes the loop and starts its thread.
    ///
    /// - Parameter name: the thread's name as the kernel shows it, cut to 15 bytes.
    /// - Throws: ``SystemError`` where the kernel gives no descriptor or no thread.
    package init(name: String = "loop") throws(SystemError) {
        core = try Core()
        var created = pthread_t()
        let start = Unmanaged.passRetained(ThreadStart(loop: self, name: name))
        let code = pthread_create(&created, nil, runLoopThread, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw SystemError(call: "pthread_create", errno: code)
        }
        let handle = created
        thread.withLock { $0 = handle }
    }

    /// Ends the loop's thread once the jobs that are ready have run, and waits for it; a second call does nothing.
    ///
    /// Must not be called on the loop's own thread, which would wait for itself.
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

    /// Runs a closure on the loop's thread, in one of its next turns; closures given from one thread keep their order.
    package func perform(_ call: @escaping @Sendable () -> Void) {
        if isOnLoop {
            core.calls.append(call)
            return
        }
        putInInbox { $0.calls.append(call) }
    }

    /// Wakes the loop once per batch: while it has yet to look, nobody else needs to.
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

    fileprivate func run(name: String) {
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

/// What the new thread is handed; it keeps the loop alive for as long as the thread runs.
private final class ThreadStart: Sendable {
    let loop: EventLoop
    let name: String

    init(loop: EventLoop, name: String) {
        self.loop = loop
        self.name = name
    }
}

private func runLoopThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    start.loop.run(name: start.name)
    return nil
}
