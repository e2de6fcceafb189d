package import Logging
internal import Reactor
internal import ServiceLifecycle

/// Logs `ready` once, when all parts of the process are connected.
///
/// The line is for readers of the log. A program that waits for readiness uses ``HealthFile`` or `GET /health/ready`,
/// because the log level may hide the line.
package struct ReadyNotice: Service {
    private static let pollInterval: Duration = .milliseconds(10)

    private let log: Logger
    private let isReady: @Loop @Sendable () -> Bool

    /// Makes the service.
    ///
    /// - Parameter isReady: the condition. The service calls it every 10 ms until it returns `true`.
    package init(log: Logger, isReady: @escaping @Loop @Sendable () -> Bool) {
        self.log = log
        self.isReady = isReady
    }

    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while await !isReady() { try await Loop.sleep(for: Self.pollInterval) }
                log.info("ready")
                try await gracefulShutdown()
            }
        } catch is CancellationError {
            // The process is shutting down. This is no failure, whether or not it became ready.
        }
    }
}
