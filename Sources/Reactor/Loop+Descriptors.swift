/// A watch of a descriptor by the loop. It does not own the descriptor. Cancel the watch before you close the
/// descriptor.
package struct LoopWatch: Sendable {
    let id: UInt64

    /// Changes the readiness that is reported. If the set is empty, only failures are reported.
    ///
    /// - Throws: ``SystemError`` if epoll_ctl(2) fails, for example because the descriptor has been closed.
    @Loop package func change(to interest: Readiness) throws(SystemError) {
        try Loop.shared.eventLoop.core.change(id, to: interest)
    }

    /// Ends the watch. The handler is not called again, not even for events that epoll has already reported.
    @Loop package func cancel() {
        Loop.shared.eventLoop.core.unwatch(id)
    }
}

extension Loop {
    /// Calls a handler on the loop whenever a descriptor is ready (level-triggered, see epoll(7)).
    ///
    /// - Parameters:
    ///   - descriptor: an open descriptor in non-blocking mode.
    ///   - interest: the readiness to report. Failures are always reported.
    ///   - handler: receives the readiness of the descriptor.
    /// - Throws: ``SystemError`` if epoll_ctl(2) fails.
    @Loop package static func watch(
        _ descriptor: Int32, for interest: Readiness, _ handler: @escaping @Loop (Readiness) -> Void
    ) throws(SystemError) -> LoopWatch {
        LoopWatch(
            id: try shared.eventLoop.core.watch(descriptor, for: interest) { readiness in
                assumeIsolated { handler(readiness) }
            })
    }

    /// Waits until a descriptor is ready, the deadline passes or the task is cancelled.
    ///
    /// - Parameters:
    ///   - descriptor: an open descriptor in non-blocking mode that is not watched yet.
    ///   - interest: the readiness to wait for. A failure of the descriptor also ends the wait.
    ///   - deadline: when to stop waiting.
    ///   - waiter: a waiter of the caller, if the caller must be able to end the wait early with ``Waiter/cancel()``.
    /// - Returns: the readiness of the descriptor, or `nil` if the wait ended before the descriptor was ready.
    /// - Throws: ``SystemError`` if epoll_ctl(2) fails.
    @Loop package static func waitUntilReady(
        _ descriptor: Int32, for interest: Readiness, until deadline: ContinuousClock.Instant,
        using waiter: Waiter<Readiness> = Waiter()
    ) async throws(SystemError) -> Readiness? {
        let watch = try watch(descriptor, for: interest) { waiter.resume(returning: $0) }
        defer { watch.cancel() }
        return await waiter.wait(until: deadline)
    }
}
