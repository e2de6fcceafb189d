/// A hook that runs at the end of each turn of the loop.
package struct LoopHook: Sendable {
    let id: Int

    /// Takes the hook back.
    @Loop package func cancel() {
        Loop.shared.eventLoop.core.removeHook(id)
    }
}

extension Loop {
    /// Runs a closure at the end of each turn, after the ready jobs and before the wait: the place to flush.
    @Loop package static func atEndOfTurn(_ hook: @escaping @Loop () -> Void) -> LoopHook {
        LoopHook(id: shared.eventLoop.core.addHook { assumeIsolated(hook) })
    }

    /// Runs a closure on the loop, from any thread, without waiting for it.
    ///
    /// Closures given from one thread run in their order.
    package nonisolated static func perform(_ body: @escaping @Loop @Sendable () -> Void) {
        shared.eventLoop.perform { assumeIsolated(body) }
    }
}
