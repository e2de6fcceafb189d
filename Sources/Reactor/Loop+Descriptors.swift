/// A descriptor watched by the loop. The watch does not own the descriptor; end it before closing the descriptor.
package struct LoopWatch: Sendable {
    let id: UInt64

    /// Changes what the descriptor is watched for; an empty set leaves only failures to be reported.
    ///
    /// - Throws: ``SystemError`` where epoll_ctl(2) refuses, as for a descriptor that was closed meanwhile.
    @Loop package func change(to interest: Readiness) throws(SystemError) {
        try Loop.shared.eventLoop.core.change(id, to: interest)
    }

    /// Ends the watch; its handler is not called again, not even for what epoll has already reported.
    @Loop package func cancel() {
        Loop.shared.eventLoop.core.unwatch(id)
    }
}

extension Loop {
    /// Calls a handler on the loop whenever the descriptor is ready, level-triggered as epoll(7) has it.
    ///
    /// - Parameters:
    ///   - descriptor: an open descriptor, in its non-blocking mode.
    ///   - interest: what to watch for; failures are always reported.
    ///   - handler: is given what the descriptor is ready for.
    /// - Throws: ``SystemError`` where epoll_ctl(2) refuses.
    @Loop package static func watch(
        _ descriptor: Int32, for interest: Readiness, _ handler: @escaping @Loop (Readiness) -> Void
    ) throws(SystemError) -> LoopWatch {
        LoopWatch(
            id: try shared.eventLoop.core.watch(descriptor, for: interest) { readiness in
                assumeIsolated { handler(readiness) }
            })
    }
}
