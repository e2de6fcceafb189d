import Logging
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Failed rounds of a periodic job", .timeLimit(.minutes(1)))
@Loop struct PeriodicJobFailureTests {
    private struct Failure: Error {}

    @Test("a failed round of a periodic job is logged with its error, and the job goes on")
    func failure() async throws {
        let log = RecordingLog()
        let job = PeriodicJob(every: .milliseconds(1) ... .milliseconds(2))
        var rounds = 0
        await job.run(log: log.logger, onFailure: "rows could not be deleted") {
            rounds += 1
            if rounds == 1 { throw Failure() }
            job.close()
        }
        #expect(rounds == 2)
        #expect(log.lines.map(\.level) == [.warning])
        #expect(log.lines.map(\.message) == ["rows could not be deleted"])
        #expect(log.lines.map(\.metadata) == [["error": "Failure()"]])
    }
}
