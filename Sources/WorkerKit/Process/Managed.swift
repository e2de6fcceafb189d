internal import ServiceLifecycle

/// A part of a process as a `Service`: runs until it is closed, and is closed when its turn to shut down comes.
///
/// A `ServiceGroup` shuts its services down in the reverse of their order and waits for each: what comes later in
/// the list may use what comes before it to its very end.
package struct Managed: Service {
    private let start: @Sendable () async throws -> Void
    private let stop: @Sendable () async -> Void

    /// Makes a service.
    ///
    /// - Parameters:
    ///   - start: runs for the life of the part; it returns only once the part is closed.
    ///   - stop: closes the part, bounded in time.
    package init(start: @escaping @Sendable () async throws -> Void, stop: @escaping @Sendable () async -> Void) {
        self.start = start
        self.stop = stop
    }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await start()
                return true
            }
            group.addTask {
                // The cancellation that ends this wait once the part has ended is the ordinary way out.
                guard (try? await gracefulShutdown()) != nil else { return false }
                await stop()
                return false
            }
            while let isEnd = try await group.next() {
                if isEnd { group.cancelAll() }
            }
        }
    }
}
