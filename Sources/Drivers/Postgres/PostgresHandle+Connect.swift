internal import CPostgres
internal import Logging
internal import Reactor

/// Makes connections, without ever blocking the loop.
enum Connector {
    /// Connects and authenticates.
    ///
    /// - Throws: ``PostgresError`` with ``PostgresError/Code/connectFailed``, or
    ///   ``PostgresError/Code/cancelled`` where the task is.
    @Loop static func connect(_ url: String, until deadline: ContinuousClock.Instant, log: Logger)
        async throws(PostgresError) -> ConnectionHandle
    {
        let handle = try await ConnectionHandle.start(url, log: log)
        // "Behave as if the last call had returned PGRES_POLLING_WRITING" (PQconnectStartParams). Where this throws, the
        // handle closes with its last reference: a step that was not waited for may still be at it.
        var interest = Readiness.writable
        while true {
            try await ready(handle, for: interest, until: deadline)
            switch try await handle.step() {
            case PGRES_POLLING_OK:
                guard PQsetnonblocking(handle.pointer, 1) == 0 else {
                    throw PostgresError(.connectFailed, handle.message)
                }
                handle.saysSQLState(false)
                return handle
            case PGRES_POLLING_READING: interest = .readable
            case PGRES_POLLING_WRITING: interest = .writable
            default: throw handle.connectError
            }
        }
    }

    /// Waits until the connection's socket is ready.
    ///
    /// - Throws: ``PostgresError`` where the deadline passes or the task is cancelled before.
    @Loop static func ready(
        _ handle: ConnectionHandle, for interest: Readiness, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        let latch = Latch()
        let watch: LoopWatch
        do {
            watch = try Loop.watch(handle.descriptor, for: interest) { _ in latch.open() }
        } catch {
            throw PostgresError(.connectionLost, error.description)
        }
        defer { watch.cancel() }
        guard await latch.wait(until: deadline) else {
            if Task.isCancelled { throw PostgresError(.cancelled, "the task was cancelled") }
            throw PostgresError(.deadlineExceeded, "the server did not answer in time")
        }
    }
}
