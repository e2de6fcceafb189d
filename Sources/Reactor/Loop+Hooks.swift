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
    /// Drivers flush their sockets in such a hook, so that all data of a turn is written with one system call.
    @Loop package static func atEndOfTurn(_ hook: @escaping @Loop () -> Void) -> LoopHook {
        LoopHook(id: shared.eventLoop.core.addHook { assumeIsolated(hook) })
    }
}
