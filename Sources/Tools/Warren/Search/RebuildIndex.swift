import ArgumentParser
import Glibc
import Logging
import Reactor
import SearchService
import WorkerKit

/// `warren search rebuild`
struct RebuildIndex: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Make the index hold the posts that there are, and no others, while searches go on.",
        discussion: """
            Asks the post service for all its posts through the broker, as the search service may: it needs \
            WARREN_AMQP_URL, WARREN_DATABASE_URL and WARREN_REDIS_URL of a search worker, or the files that \
            WARREN_AMQP_URL_FILE and so on name. Posts that the index lacks are added, posts that are no more are \
            removed. Broken off, it is simply run again.

            Ends with 0 once all is done, 75 where a server or the post service was away for too long, 78 where a \
            setting is wrong, 1 for anything else.
            """)

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        do {
            let settings = Settings()
            let level = try settings.text("WARREN_LOG_LEVEL") == nil ? .critical : settings.logLevel()
            let log = Logger(label: "warren") { _ in JSONLogHandler(service: "warren", level: level) }
            let progress = try await withTaskExecutorPreference(Loop.executor) {
                try await Self.rebuild(settings, log)
            }
            say("done: \(Self.describe(progress))")
        } catch let fault as SettingsError {
            throw Self.end("\(fault)", EX_CONFIG)
        } catch let failure as RebuildError {
            throw Self.end("\(failure)", failure.isTransient ? EX_TEMPFAIL : EXIT_FAILURE)
        }
    }

    /// Tells of progress once a second.
    @Loop private static func rebuild(_ settings: Settings, _ log: Logger) async throws -> RebuildProgress {
        var told = ContinuousClock.now
        return try await SearchService.rebuild(
            settings: settings, log: log,
            progress: { progress in
                guard .now - told > .seconds(1) else { return }
                told = .now
                say(describe(progress))
            }, report: { say($0) })
    }

    private static func describe(_ progress: RebuildProgress) -> String {
        let total = progress.total.map { " of about \($0)" } ?? ""
        return "\(progress.read)\(total) posts read, \(progress.added) added, \(progress.removed) removed"
    }

    private static func end(_ line: String, _ status: Int32) -> ExitCode {
        write("warren search rebuild: \(line)", to: STDERR_FILENO)
        return ExitCode(status)
    }
}

/// Writes a line at once, whatever standard output is.
private func say(_ line: String) {
    write(line, to: STDOUT_FILENO)
}

private func write(_ line: String, to descriptor: Int32) {
    let bytes = Array("\(line)\n".utf8)
    _ = Glibc.write(descriptor, bytes, bytes.count)
}
