internal import ServiceLifecycle

/// Makes a `Service` of a component that has a `run` and a `close` function.
///
/// A `ServiceGroup` shuts its services down in reverse order and waits for each one. A service can therefore use the
/// services before it in the list until it has ended.
package struct ServiceAdapter: Service {
    private let start: @Sendable () async throws -> Void
    private let close: @Sendable () async -> Void

    /// Makes a service.
    ///
    /// - Parameters:
    ///   - run: runs the component, normally until `close` is called. If it returns earlier, the service ends, and
    ///     `close` is not called.
    ///   - close: closes the component within a bounded time. It is called when the graceful shutdown reaches this
    ///     service.
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
                // If the component has ended by itself, or if the service's task is cancelled, this wait is cancelled.
                // Then `close` is not called.
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

/// Makes a `Service` of a component that has only a `close` function.
package struct ShutdownHook: Service {
    private let close: @Sendable () async -> Void

    /// Makes a service.
    ///
    /// - Parameter close: closes the component within a bounded time. It is called when the graceful shutdown reaches
    ///   this service, or when the service's task is cancelled.
    package init(_ close: @escaping @Sendable () async -> Void) {
        self.close = close
    }

    package func run() async throws {
        // If the task is cancelled, the wait throws. The error is ignored, because the component must be closed then,
        // too.
        try? await gracefulShutdown()
        await close()
    }
}
