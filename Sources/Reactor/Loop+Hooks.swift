/// A closure that runs at the end of each turn of the loop.
package struct LoopHook: Sendable {
    let id: Int

    /// Removes the hook; it does not run again.
    @Loop package func cancel() {
        Loop.shared.eventLoop.core.removeHook(id)
    }
}

extension Loop {
    /// Runs a closure at the end of each turn of the loop, after the ready jobs and before the wait for events.
    ///
    /// Drivers flush their sockets here, so that all writes of a turn leave in one system call.
    @Loop package static func atEndOfTurn(_ hook: @escaping @Loop () -> Void) -> LoopHook {
        LoopHook(id: shared.eventLoop.core.addHook { assumeIsolated(hook) })
    }

    /// Runs a closure on the loop and returns without waiting for it. Can be called on any thread.
    ///
    /// Closures from one thread run in the order of their calls.
    package nonisolated static func perform(_ body: @escaping @Loop @Sendable () -> Void) {
        shared.eventLoop.perform { assumeIsolated(body) }
    }
}
