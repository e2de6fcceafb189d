internal import ServiceLifecycle

/// Adapts a component with a running and a closing function to `Service`.
///
/// A `ServiceGroup` shuts its services down in reverse order and waits for each one, so a later service of the list can
/// use an earlier one until its own end.
package struct ServiceAdapter: Service {
    private let start: @Sendable () async throws -> Void
    private let close: @Sendable () async -> Void

    /// Makes a service.
    ///
    /// - Parameters:
    ///   - run: runs the component; returns only after `close` was called.
    ///   - close: closes the component within a bounded time; called when the graceful shutdown reaches this service.
    package init(run: @escaping @Sendable () async throws -> Void, close: @escaping @Sendable () async -> Void) {
        start = run
        self.close = close
    }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await start()
                return true
            }
            group.addTask {
                // A component that ends by itself cancels this wait.
                guard (try? await gracefulShutdown()) != nil else { return false }
                await close()
                return false
            }
            while let isEnd = try await group.next() {
                if isEnd { group.cancelAll() }
            }
        }
    }
}

/// Closes a component that needs no running function.
package struct ShutdownHook: Service {
    private let close: @Sendable () async -> Void

    /// Makes a service.
    ///
    /// - Parameter close: closes the component within a bounded time; called when the graceful shutdown reaches this
    ///   service, or when its task is cancelled.
    package init(_ close: @escaping @Sendable () async -> Void) {
        self.close = close
    }

    package func run() async throws {
        // After a cancellation too, the component must be closed.
        try? await gracefulShutdown()
        await close()
    }
}
