internal import Glibc
internal import JSONLogging
package import Logging
internal import Reactor
package import ServiceLifecycle
internal import UnixSignals

/// The process of a daemon: settings, logging, services, signals and exit status.
package enum Daemon {
    /// The time limit of a graceful stop, after which the remaining services are cancelled. Work in flight has 25 s,
    /// and the supervisor kills the process after 40 s.
    private static let stopLimit: Duration = .seconds(30)

    /// Runs a daemon until SIGTERM or SIGINT, and ends the process.
    ///
    /// The exit status is 0 after a graceful stop, 78 (EX_CONFIG of sysexits.h) for a missing or malformed setting, and
    /// 1 for any other failure. A failure writes one line to standard error.
    ///
    /// - Parameters:
    ///   - name: the service's name in log lines, which is also its broker user.
    ///   - assemble: makes the services in the order in which they start. They stop in the reverse order.
    package static func run(
        _ name: String, assemble: @escaping @Loop (Settings, Logger) async throws -> [any Service]
    ) async -> Never {
        signal(SIGPIPE, SIG_IGN)
        let settings = Settings()
        do {
            let level = try settings.logLevel()
            LoggingSystem.bootstrap { _ in JSONLogHandler(service: name, level: level) }
            let log = Logger(label: name)
            // The service group logs each start and stop at lower levels.
            var groupLog = log
            groupLog.logLevel = max(level, .warning)
            let assembly = Assembly(log: groupLog) { try await assemble(settings, log) }
            try await withTaskExecutorPreference(Loop.executor) {
                try await serve(assembly)
            }
            log.info("stopped")
            end(EXIT_SUCCESS)
        } catch let error as SettingsError {
            writeError("warren-\(name): \(error)")
            end(EX_CONFIG)
        } catch {
            writeError("warren-\(name): \(error)")
            end(EXIT_FAILURE)
        }
    }

    @concurrent private static func serve(_ assembly: Assembly) async throws {
        var configuration = ServiceGroupConfiguration(
            services: [assembly], gracefulShutdownSignals: [.sigterm, .sigint], logger: assembly.log)
        configuration.maximumGracefulShutdownDuration = stopLimit
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Runs start-up and the daemon's services as one service, so that a signal also interrupts the start-up while it
    /// waits for a server. PID 1 of a container ignores signals that it has no handler for.
    private struct Assembly: Service {
        let log: Logger
        let assemble: @Loop @Sendable () async throws -> [any Service]

        func run() async throws {
            let services: [any Service]
            do {
                services = try await cancelWhenGracefulShutdown { try await assemble() }
            } catch  where Task.isShuttingDownGracefully {
                return
            }
            try await ServiceGroup(services: services, logger: log).run()
        }
    }

    /// Ends the process without the handlers of exit(3). They would tear down libraries such as OpenSSL while other
    /// threads can still be connecting. No output is lost, because log lines are not buffered.
    private static func end(_ status: Int32) -> Never {
        _exit(status)
    }

    private static func writeError(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}

extension Settings {
    /// Returns `WARREN_LOG_LEVEL`: trace, debug, info (the default), notice, warning, error or critical.
    package func logLevel() throws(SettingsError) -> Logger.Level {
        guard let text = try text("WARREN_LOG_LEVEL") else { return .info }
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            throw SettingsError(
                "WARREN_LOG_LEVEL", "must be trace, debug, info, notice, warning, error or critical")
        }
        return level
    }
}
