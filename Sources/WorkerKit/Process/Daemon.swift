internal import Glibc
internal import JSONLogging
package import Logging
internal import Reactor
package import ServiceLifecycle
internal import UnixSignals

/// The process of a daemon: settings, logging, services, signals and exit status.
package enum Daemon {
    /// The time limit of a graceful stop. Services that still run after this time are cancelled. The limit is longer
    /// than the 25 s that HTTP requests in flight have, and shorter than the 40 s after which the supervisor kills the
    /// process.
    private static let stopLimit: Duration = .seconds(30)

    /// Runs a daemon until SIGTERM or SIGINT. Then ends the process. SIGHUP, SIGUSR1 and SIGUSR2 are ignored.
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
        // By default, SIGHUP and the user signals end a process at once. There is nothing to reload on SIGHUP, because
        // the files with passwords are read for each connection.
        for ignored in [SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2] { signal(ignored, SIG_IGN) }
        let settings = Settings()
        let writer = JSONLogHandler.standardError(service: name)
        do {
            let level = try settings.logLevel()
            LoggingSystem.bootstrap { _ in JSONLogHandler(service: name, level: level, to: writer) }
            let log = Logger(label: name)
            // Hides the lines that the service group logs for each start and stop of a service, at lower levels.
            var groupLog = log
            groupLog.logLevel = max(level, .warning)
            let assembly = Assembly(log: groupLog) { try await assemble(settings, log) }
            try await withTaskExecutorPreference(Loop.executor) {
                try await serve(assembly)
            }
            log.info("stopped")
            end(EXIT_SUCCESS, writer)
        } catch let error as SettingsError {
            writer.append(Array("warren-\(name): \(error)\n".utf8))
            end(EX_CONFIG, writer)
        } catch {
            writer.append(Array("warren-\(name): \(error)\n".utf8))
            end(EXIT_FAILURE, writer)
        }
    }

    @concurrent private static func serve(_ assembly: Assembly) async throws {
        var configuration = ServiceGroupConfiguration(
            services: [assembly], gracefulShutdownSignals: [.sigterm, .sigint], logger: assembly.log)
        configuration.maximumGracefulShutdownDuration = stopLimit
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Runs the start-up and the daemon's services as one service. Therefore the signal handlers of the service group
    /// are installed before the start-up, and a signal also interrupts a start-up that waits for a server. Without
    /// signal handlers, the process would ignore the signals if it is PID 1 of a container.
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

    /// Ends the process without the exit handlers of exit(3), because they would tear down libraries such as OpenSSL
    /// while other threads can still be connecting. The last log lines are written before, unless nobody reads them.
    private static func end(_ status: Int32, _ writer: LogWriter) -> Never {
        writer.flush(within: .seconds(1))
        _exit(status)
    }
}

extension Settings {
    /// Returns the log level in `WARREN_LOG_LEVEL`: trace, debug, info (the default), notice, warning, error or
    /// critical.
    package func logLevel() throws(SettingsError) -> Logger.Level {
        guard let text = try text("WARREN_LOG_LEVEL") else { return .info }
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            throw SettingsError(
                "WARREN_LOG_LEVEL", "must be trace, debug, info, notice, warning, error or critical")
        }
        return level
    }
}
