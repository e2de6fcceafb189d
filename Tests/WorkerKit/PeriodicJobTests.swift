import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Periodic job", .timeLimit(.minutes(1)))
@Loop struct PeriodicJobTests {
    /// Counts rounds.
    @Loop private final class Rounds {
        var begun = 0
        var ended = 0
    }

    private static let never: ClosedRange<Duration> = .seconds(3600) ... .seconds(3600)
    private let rounds = Rounds()

    /// Runs a job while a body runs. The body must end the job.
    private func run(
        _ job: PeriodicJob, round: @escaping @Loop @Sendable () async -> Void = {},
        _ body: @Loop () async throws -> Void
    ) async throws {
        let rounds = rounds
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                await job.run {
                    rounds.begun += 1
                    await round()
                    rounds.ended += 1
                }
            }
            try await body()
        }
    }

    @Test("a periodic job runs a round after each pause and none before the first pause")
    func pauses() async throws {
        let job = PeriodicJob(every: .milliseconds(20) ... .milliseconds(30))
        let began = ContinuousClock.now
        try await run(job) { () async throws in
            #expect(try await eventually { rounds.ended >= 5 })
            job.close()
        }
        #expect(ContinuousClock.now - began >= .milliseconds(20) * rounds.ended)
    }

    @Test("the pauses of a periodic job are random within their bounds")
    func randomPauses() {
        let bounds: ClosedRange<Duration> = .seconds(600) ... .seconds(1200)
        let job = PeriodicJob(every: bounds)
        let lengths = (0..<1000).map { _ in job.length() }
        #expect(lengths.allSatisfy(bounds.contains))
        #expect(lengths.contains { $0 < .seconds(750) })
        #expect(lengths.contains { $0 > .seconds(1050) })
        #expect(Set(lengths).count > 900)
        #expect(PeriodicJob(every: Self.never).length() == .seconds(3600))
    }

    @Test("a nudge before the job runs or during a pause starts a round at once")
    func nudged() async throws {
        let job = PeriodicJob(every: Self.never)
        job.nudge()
        try await run(job) { () async throws in
            #expect(try await eventually { rounds.ended == 1 })
            try await Loop.sleep(for: .milliseconds(20))
            job.nudge()
            #expect(try await eventually { rounds.ended == 2 })
            job.close()
        }
        #expect(rounds.begun == 2)
    }

    @Test("all nudges during a round together cause one more round, and absorbed nudges cause none")
    func absorbed() async throws {
        let job = PeriodicJob(every: Self.never)
        let rounds = rounds
        job.nudge()
        try await run(job) {
            for _ in 0..<3 { job.nudge() }
            if rounds.begun == 2 { job.absorbNudges() }
        } _: { () async throws in
            #expect(try await eventually { rounds.ended == 2 })
            try await Loop.sleep(for: .milliseconds(50))
            job.close()
        }
        #expect(rounds.begun == 2)
    }

    @Test("a periodic job that is closed at any time ends when the running round has ended")
    func closed() async throws {
        for round in 0..<20 {
            let job = PeriodicJob(every: Self.never)
            if round == 0 { job.close() }
            try await run(job) {
                if round.isMultiple(of: 2) { await Task.yield() }
                job.close()
            }
        }
        #expect(rounds.begun == 0)
        let job = PeriodicJob(every: Self.never)
        let barrier = Barrier()
        job.nudge()
        try await run(job) {
            await barrier.pass()
        } _: { () async throws in
            #expect(try await eventually { rounds.begun == 1 })
            job.close()
            job.nudge()
            try await Loop.sleep(for: .milliseconds(20))
            #expect(rounds.ended == 0)
            barrier.open()
        }
        #expect(rounds.begun == 1 && rounds.ended == 1)
    }

    @Test("a periodic job whose task is cancelled at any time ends")
    func cancelled() async throws {
        for round in 0..<20 {
            let job = PeriodicJob(every: Self.never)
            await withDiscardingTaskGroup { group in
                group.addTask { await job.run {} }
                if round.isMultiple(of: 2) { await Task.yield() }
                group.cancelAll()
            }
        }
    }

    @Test("a periodic job that has ended leaves no timer that retains it")
    func freed() async throws {
        weak var left: PeriodicJob?
        do {
            let job = PeriodicJob(every: Self.never)
            left = job
            try await run(job) {
                await Task.yield()
                job.close()
            }
        }
        #expect(try await eventually { left == nil })
    }
}
