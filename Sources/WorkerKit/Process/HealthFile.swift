internal import Glibc
package import Logging
internal import Reactor
internal import ServiceLifecycle

/// Touches a file every few seconds while the process is fit to work, and removes it while it is not.
///
/// A supervisor reads the file of a process that listens on no port. The file appears when the process is ready. It is
/// missing after a stop or while a connection is lost, and old if the event loop hangs.
package struct HealthFile: Service {
    /// How soon the file appears once the process is fit.
    private static let pollInterval: Duration = .milliseconds(50)

    private let path: String
    private let interval: Duration
    private let log: Logger
    private let isFit: @Loop @Sendable () -> Bool

    /// Creates the service.
    ///
    /// - Parameters:
    ///   - path: the file, which is created if it does not exist. A symbolic link is not followed.
    ///   - interval: the time between two touches.
    ///   - log: receives an error if the file cannot be written.
    ///   - isFit: whether the process can work; called on the loop.
    package init(
        path: String, every interval: Duration = .seconds(2), log: Logger, isFit: @escaping @Loop @Sendable () -> Bool
    ) {
        self.path = path
        self.interval = interval
        self.log = log
        self.isFit = isFit
    }

    package func run() async throws {
        defer { unlink(path) }
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    let isFit = await isFit()
                    if isFit { touch() } else { unlink(path) }
                    try await Loop.sleep(for: isFit ? interval : Self.pollInterval)
                }
            }
        } catch is CancellationError {
            // The process stops.
        }
    }

    private func touch() {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { return report(errno) }
        defer { close(descriptor) }
        // Without times, both become the current time (utimensat(2)).
        if futimens(descriptor, nil) != 0 { report(errno) }
    }

    private func report(_ code: Int32) {
        log.error("health file not written", metadata: ["path": "\(path)", "errno": "\(code)"])
    }
}
