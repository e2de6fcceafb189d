import Logging
import Reactor
import Synchronization
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Failed rounds of a periodic job", .timeLimit(.minutes(1)))
@Loop struct PeriodicJobFailureTests {
    private struct Failure: Error {}

    /// Records the messages and errors that are logged.
    private struct RecordingHandler: LogHandler {
        final class Lines: Sendable {
            let recorded = Mutex<[String]>([])
        }

        let lines: Lines
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let error = event.metadata?["error"].map { "\($0)" } ?? ""
            lines.recorded.withLock { $0.append("\(event.level) \(event.message) \(error)") }
        }
    }

    @Test("a failed round of a periodic job is logged with its error, and the job goes on")
    func failure() async throws {
        let lines = RecordingHandler.Lines()
        let log = Logger(label: "test") { _ in RecordingHandler(lines: lines) }
        let job = PeriodicJob(every: .milliseconds(1) ... .milliseconds(2))
        var rounds = 0
        await job.run(log: log, onFailure: "rows could not be deleted") {
            rounds += 1
            if rounds == 1 { throw Failure() }
            job.close()
        }
        #expect(rounds == 2)
        #expect(lines.recorded.withLock { $0 } == ["warning rows could not be deleted Failure()"])
    }
}
