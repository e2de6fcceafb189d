internal import ServiceLifecycle

/// Closes something that needs no running when its turn to shut down comes.
package struct AtShutdown: Service {
    private let close: @Sendable () async -> Void

    /// Makes a service of a closure that closes, bounded in time.
    package init(_ close: @escaping @Sendable () async -> Void) {
        self.close = close
    }

    package func run() async throws {
        // Cancelled or shut down, it is time to close.
        try? await gracefulShutdown()
        await close()
    }
}
