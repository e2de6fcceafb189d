internal import Glibc
package import Logging
internal import Reactor
internal import ServiceLifecycle

/// Touches a file every few seconds while the process is fit to work, and removes it while it is not.
///
/// For whoever supervises a process that has no address to ask at: a file that is missing or old tells of a lost
/// connection, of a loop that hangs, of a stop.
package struct HealthFile: Service {
    private let path: String
    private let interval: Duration
    private let log: Logger
    private let isFit: @Loop @Sendable () -> Bool

    /// Makes the service.
    ///
    /// - Parameters:
    ///   - path: where the file is; it is made where it is missing.
    ///   - interval: how often it is touched.
    ///   - log: is told when it cannot be written.
    ///   - isFit: whether the process is fit to work, asked on the loop.
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
                    if await isFit() { touch() } else { unlink(path) }
                    try await Loop.sleep(for: interval)
                }
            }
        } catch is CancellationError {
            // It was told to stop.
        }
    }

    private func touch() {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { return complain(errno) }
        defer { close(descriptor) }
        // Without times given, both become now (utimensat(2)).
        if futimens(descriptor, nil) != 0 { complain(errno) }
    }

    private func complain(_ code: Int32) {
        log.error("health file not written", metadata: ["path": "\(path)", "errno": "\(code)"])
    }
}
