import ArgumentParser
import Glibc
import JSONLogging
import Logging
import Reactor
import SearchService
import WorkerKit

/// `warren search rebuild`
struct RebuildIndex: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Make the search index match the posts, while searches continue.",
        discussion: """
            Requests all posts from the post service through the broker, adds posts that the index lacks, and removes \
            posts that no longer exist. It needs these settings of a search worker: WARREN_AMQP_URL, \
            WARREN_DATABASE_URL and WARREN_REDIS_URL, or the same names with _FILE and the path of a file that \
            contains the value. If the command is interrupted, run it again.

            Exit status: 0 if the index matches; 75 if a server or the post service did not respond for too long, or \
            another rebuild is running; 78 if a setting is missing or malformed; 1 for any other error.
            """)

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let writer = JSONLogHandler.standardError(service: "warren")
        defer { writer.flush(within: .seconds(1)) }
        do {
            let settings = Settings()
            let level = try settings.text("WARREN_LOG_LEVEL") == nil ? .critical : settings.logLevel()
            let log = Logger(label: "warren") { _ in JSONLogHandler(service: "warren", level: level, to: writer) }
            let progress = try await withTaskExecutorPreference(Loop.executor) {
                try await Self.rebuild(settings, log)
            }
            printNow("done: \(Self.describe(progress))")
        } catch let error as SettingsError {
            throw Self.fail("\(error)", EX_CONFIG)
        } catch let error as RebuildError {
            let cause = error.cause.map { ": \($0)" } ?? ""
            throw Self.fail(error.message + cause, error.isTransient ? EX_TEMPFAIL : EXIT_FAILURE)
        }
    }

    /// Rebuilds the index and prints the progress at most once a second.
    @Loop private static func rebuild(_ settings: Settings, _ log: Logger) async throws -> RebuildProgress {
        var lastPrint = ContinuousClock.now
        return try await SearchService.rebuild(
            settings: settings, log: log,
            onProgress: { progress in
                guard .now - lastPrint > .seconds(1) else { return }
                lastPrint = .now
                printNow(describe(progress))
            }, onRetry: { printNow($0) })
    }

    private static func describe(_ progress: RebuildProgress) -> String {
        let total = progress.total.map { " of about \($0)" } ?? ""
        return "\(progress.read)\(total) posts read, \(progress.added) added, \(progress.removed) removed"
    }

    private static func fail(_ line: String, _ status: Int32) -> ExitCode {
        write("warren search rebuild: \(line)", to: STDERR_FILENO)
        return ExitCode(status)
    }
}

/// Writes a line to standard output without buffering, so that the reader of a pipe sees the progress at once.
private func printNow(_ line: String) {
    write(line, to: STDOUT_FILENO)
}

private func write(_ line: String, to descriptor: Int32) {
    let bytes = Array("\(line)\n".utf8)
    _ = Glibc.write(descriptor, bytes, bytes.count)
}
