internal import CLinux
internal import Glibc

extension EventLoop {
    /// The descriptors, timers, hooks and ready jobs of a loop. Only the loop's thread uses them. The exception is
    /// ``wake()``, which any thread may call.
    final class Core {
        var ready: [UnownedJob] = []
        var calls: [@Sendable () -> Void] = []
        private var running: [UnownedJob] = []
        private var runningCalls: [@Sendable () -> Void] = []
        private var timers = TimerQueue()
        private var watches: [UInt64: Watched] = [:]
        /// The latest watch of each descriptor. A descriptor may be closed, and its number used again, before its watch
        /// is cancelled. The watch must then not touch the new descriptor's registration.
        private var owners: [Int32: UInt64] = [:]
        private var nextWatch: UInt64 = 1
        private var hooks: [Int: () -> Void] = [:]
        private var hookOrder: [Int] = []
        private var nextHook = 0
        private let epoll: Int32
        private let wakeup: Int32
        private var events = [epoll_event](repeating: epoll_event(), count: 256)

        private struct Watched {
            let descriptor: Int32
            let handler: (Readiness) -> Void
        }

        init() throws(SystemError) {
            epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
            guard epoll >= 0 else { throw SystemError.last("epoll_create1") }
            wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
            guard wakeup >= 0 else {
                let error = SystemError.last("eventfd")
                close(epoll)
                throw error
            }
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: 0))
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) == 0 else {
                let error = SystemError.last("epoll_ctl")
                close(epoll)
                close(wakeup)
                throw error
            }
        }

        deinit {
            close(epoll)
            close(wakeup)
        }

        /// Makes the current or the next epoll_wait(2) return at once. Safe on any thread, because writes to an
        /// eventfd(2) are atomic.
        func wake() {
            var one: UInt64 = 1
            _ = write(wakeup, &one, MemoryLayout<UInt64>.size)
        }

        // MARK: Turn

        var hasReady: Bool { !ready.isEmpty || !calls.isEmpty }

        func runReady(serial: UnownedSerialExecutor, task: UnownedTaskExecutor) {
            swap(&calls, &runningCalls)
            for call in runningCalls {
                call()
            }
            runningCalls.removeAll(keepingCapacity: true)
            swap(&ready, &running)
            for job in running {
                job.runSynchronously(isolatedTo: serial, taskExecutor: task)
            }
            running.removeAll(keepingCapacity: true)
        }

        func runHooks() {
            var index = 0
            while index < hookOrder.count {
                hooks[hookOrder[index]]?()
                index += 1
            }
            if hookOrder.count > hooks.count { hookOrder.removeAll { hooks[$0] == nil } }
        }

        func wait(block: Bool) {
            let timeout: Int32
            if !block {
                timeout = 0
            } else if let next = timers.next() {
                timeout = max(0, milliseconds(until: next))
            } else {
                timeout = -1
            }
            let count = epoll_wait(epoll, &events, Int32(events.count), timeout)
            // The only error that can occur here is EINTR; the next turn waits again.
            for index in 0..<max(0, Int(count)) {
                let event = events[index]
                if event.data.u64 == 0 {
                    var value: UInt64 = 0
                    _ = read(wakeup, &value, MemoryLayout<UInt64>.size)
                } else {
                    // An earlier handler of this turn may have cancelled the watch. Its event is then dropped.
                    watches[event.data.u64]?.handler(Readiness(epoll: event.events))
                }
            }
            runTimers()
        }

        private func runTimers() {
            guard timers.next() != nil else { return }
            let now = ContinuousClock.now
            while let handler = timers.popDue(at: now) {
                handler()
            }
        }

        private func milliseconds(until instant: ContinuousClock.Instant) -> Int32 {
            let left = instant - ContinuousClock.now
            let (seconds, attoseconds) = left.components
            // Rounded up to a whole millisecond, so that a timer never fires early.
            let product = seconds.multipliedReportingOverflow(by: 1000)
            guard !product.overflow, product.partialValue < Int64(Int32.max) - 1000 else { return Int32.max }
            return Int32(product.partialValue + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        }

        // MARK: Timers

        func schedule(at instant: ContinuousClock.Instant, _ handler: @escaping () -> Void) -> UInt64 {
            timers.insert(at: instant, handler)
        }

        func cancelTimer(_ id: UInt64) {
            timers.cancel(id)
        }

        // MARK: Hooks

        func addHook(_ hook: @escaping () -> Void) -> Int {
            defer { nextHook += 1 }
            hooks[nextHook] = hook
            hookOrder.append(nextHook)
            return nextHook
        }

        func removeHook(_ id: Int) {
            hooks[id] = nil
        }

        // MARK: Descriptors

        func watch(_ descriptor: Int32, for interest: Readiness, _ handler: @escaping (Readiness) -> Void)
            throws(SystemError) -> UInt64
        {
            let id = nextWatch
            var event = epoll_event(events: interest.epoll, data: epoll_data_t(u64: id))
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw SystemError.last("epoll_ctl") }
            nextWatch += 1
            watches[id] = Watched(descriptor: descriptor, handler: handler)
            owners[descriptor] = id
            return id
        }

        func change(_ id: UInt64, to interest: Readiness) throws(SystemError) {
            guard let watched = watches[id] else { return }
            guard owners[watched.descriptor] == id else { throw SystemError(call: "epoll_ctl", errno: ENOENT) }
            var event = epoll_event(events: interest.epoll, data: epoll_data_t(u64: id))
            guard epoll_ctl(epoll, EPOLL_CTL_MOD, watched.descriptor, &event) == 0 else {
                throw SystemError.last("epoll_ctl")
            }
        }

        func unwatch(_ id: UInt64) {
            guard let watched = watches.removeValue(forKey: id), owners[watched.descriptor] == id else { return }
            owners[watched.descriptor] = nil
            // The result is ignored. If the descriptor has been closed, it has already left the epoll set, and this
            // call fails with EBADF.
            epoll_ctl(epoll, EPOLL_CTL_DEL, watched.descriptor, nil)
        }
    }
}
