package import Reactor

/// Limits how many tests run at the same time, because the server accepts a limited number of connections.
@Loop package final class ConcurrencyLimit {
    private var free: Int
    private var waiting: [Waiter<Void>] = []

    /// Makes a limit.
    ///
    /// - Parameter count: the maximum number of tests that run at the same time.
    package nonisolated init(_ count: Int) {
        free = count
    }

    /// Waits until fewer tests than the limit are running, and then runs the body of a test.
    package func run(_ body: @Loop () async throws -> Void) async throws {
        if free > 0 {
            free -= 1
        } else {
            let waiter = Waiter<Void>()
            waiting.append(waiter)
            _ = await waiter.waitThroughCancellation()
        }
        defer { release() }
        try await body()
    }

    private func release() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
