import Logging
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Failed rounds of a periodic job", .timeLimit(.minutes(1)))
@Loop struct PeriodicJobFailureTests {
    private struct Failure: Error {}

    @Test("a failed round of a periodic job is logged with its error, and the job continues")
    func failure() async throws {
        let captured = CapturedLog()
        let job = PeriodicJob(every: .milliseconds(1) ... .milliseconds(2))
        var rounds = 0
        await job.run(log: captured.logger(.info), onFailure: "rows could not be deleted") {
            rounds += 1
            if rounds == 1 { throw Failure() }
            job.close()
        }
        #expect(rounds == 2)
        let lines = captured.events.map { "\($0.level) \($0.message) \($0.metadata["error"]?.description ?? "")" }
        #expect(lines == ["warning rows could not be deleted Failure()"])
    }
}
