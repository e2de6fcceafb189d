internal import Glibc
package import Logging
internal import Reactor
internal import ServiceLifecycle

/// Touches a file every few seconds while the process is healthy, and removes the file while the process is not
/// healthy.
///
/// The file has a line for each problem that stops only a part of the work, such as a missing queue.
///
/// The file is the health check of a process that listens on no port. It appears when the process is ready. It does not
/// exist after the process has stopped or while a connection is lost. If the event loop hangs, the file's modification
/// time becomes old.
package struct HealthFile: Service {
    /// The time between two checks until the process is healthy for the first time. It is short, because whoever starts
    /// the process waits for the file.
    private static let startInterval: Duration = .milliseconds(50)

    private let path: String
    private let interval: Duration
    private let log: Logger
    private let isHealthy: @Loop @Sendable () -> Bool
    private let problems: @Loop @Sendable () -> [String]

    /// Makes the service.
    ///
    /// - Parameters:
    ///   - path: the file, which is created if it does not exist. A symbolic link is not followed.
    ///   - interval: the time between two touches.
    ///   - log: receives an error if the file cannot be written.
    ///   - isHealthy: returns whether the process can work; called on the loop.
    ///   - problems: returns the lines of the file; called on the loop.
    package init(
        path: String, every interval: Duration = .seconds(2), log: Logger,
        isHealthy: @escaping @Loop @Sendable () -> Bool,
        problems: @escaping @Loop @Sendable () -> [String] = { [] }
    ) {
        self.path = path
        self.interval = interval
        self.log = log
        self.isHealthy = isHealthy
        self.problems = problems
    }

    package func run() async throws {
        defer { unlink(path) }
        do {
            try await cancelWhenGracefulShutdown {
                // An earlier process may have left the file.
                unlink(path)
                while await !isHealthy() { try await Loop.sleep(for: Self.startInterval) }
                while true {
                    if await isHealthy() { write(await problems()) } else { unlink(path) }
                    try await Loop.sleep(for: interval)
                }
            }
        } catch is CancellationError {
            // The process is shutting down. This is no failure.
        }
    }

    private func write(_ problems: [String]) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { return report(errno) }
        defer { close(descriptor) }
        let text = problems.map { $0 + "\n" }.joined()
        // A reader can see a part of the text if it reads the file at this moment. `nil` sets the times of access and
        // modification to the current time (utimensat(2)).
        guard ftruncate(descriptor, 0) == 0, Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count,
            futimens(descriptor, nil) == 0
        else { return report(errno) }
    }

    private func report(_ code: Int32) {
        log.error("health file not written", metadata: ["path": "\(path)", "errno": "\(code)"])
    }
}
