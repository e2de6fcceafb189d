internal import Glibc
internal import JSONLogging
package import Logging
internal import Reactor
package import ServiceLifecycle
internal import UnixSignals

/// The life of a daemon's process: settings, logging, services, signals, exit status.
package enum Daemon {
    /// How long a graceful stop may take in all before what is left is cancelled: more than the 25 s that work in hand
    /// gets, less than the 40 s after which whoever supervises the process kills it.
    private static let stopLimit: Duration = .seconds(30)

    /// Runs a daemon until SIGTERM or SIGINT, and ends the process.
    ///
    /// A missing or malformed setting ends it at once, with one line on standard error that names it and status 78
    /// (EX_CONFIG of sysexits.h); any other failure with status 1; a graceful stop with 0.
    ///
    /// - Parameters:
    ///   - name: the service's name in log lines, and the broker user it is.
    ///   - assemble: makes the services in the order of their start; they stop in the reverse order.
    package static func run(
        _ name: String, assemble: @escaping @Loop (Settings, Logger) async throws -> [any Service]
    ) async -> Never {
        signal(SIGPIPE, SIG_IGN)
        let settings = Settings()
        do {
            let level = try settings.logLevel()
            LoggingSystem.bootstrap { _ in JSONLogHandler(service: name, level: level) }
            let log = Logger(label: name)
            // Of the services' comings and goings only what goes wrong is told.
            var lifecycle = log
            lifecycle.logLevel = max(level, .warning)
            let quiet = lifecycle
            try await withTaskExecutorPreference(Loop.executor) {
                try await serve([Assembly(log: quiet) { try await assemble(settings, log) }], quiet)
            }
            log.info("stopped")
            end(EXIT_SUCCESS)
        } catch let fault as Settings.Fault {
            complain("warren-\(name): \(fault)")
            end(EX_CONFIG)
        } catch {
            complain("warren-\(name): \(error)")
            end(EXIT_FAILURE)
        }
    }

    @concurrent private static func serve(_ services: [any Service], _ log: Logger) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        configuration.maximumGracefulShutdownDuration = stopLimit
        try await ServiceGroup(configuration: configuration).run()
    }

    /// The daemon as one service, so that a signal also ends the time before its services are there, in which it waits for
    /// its servers: the first process of a container gets none that it has no handler for.
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

    /// Ends the process without the handlers of exit(3), which take libraries down, OpenSSL's among them, under threads
    /// that may still be at a connection nobody waits for any more. Nothing is buffered: log lines are written at once.
    private static func end(_ status: Int32) -> Never {
        _exit(status)
    }

    private static func complain(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}

extension Settings {
    /// `WARREN_LOG_LEVEL`: trace, debug, info (the default), notice, warning, error or critical.
    package func logLevel() throws(Fault) -> Logger.Level {
        guard let text = try text("WARREN_LOG_LEVEL") else { return .info }
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            throw Fault("WARREN_LOG_LEVEL", "must be trace, debug, info, notice, warning, error or critical")
        }
        return level
    }
}
