package import Logging
internal import Reactor
internal import ServiceLifecycle

/// Logs `ready` once, when all of a process's parts are connected.
package struct ReadyNotice: Service {
    private static let interval: Duration = .milliseconds(10)

    private let log: Logger
    private let isReady: @Loop @Sendable () -> Bool

    /// Makes a notice of a condition that is looked at every few milliseconds until it holds.
    package init(log: Logger, isReady: @escaping @Loop @Sendable () -> Bool) {
        self.log = log
        self.isReady = isReady
    }

    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while await !isReady() { try await Loop.sleep(for: Self.interval) }
                log.info("ready")
                try await gracefulShutdown()
            }
        } catch is CancellationError {
            // It was told to stop, ready or not.
        }
    }
}
