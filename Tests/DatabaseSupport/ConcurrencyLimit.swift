package import Reactor

/// Limits how many tests run at the same time, because the server accepts a limited number of connections.
@Loop package final class ConcurrencyLimit {
    private var free: Int
    private var waiting: [Waiter<Void>] = []

    /// Makes a limit.
    ///
    /// - Parameter count: how many tests run at the same time.
    package nonisolated init(_ count: Int) {
        free = count
    }

    /// Runs a body as soon as fewer than the limit run.
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
