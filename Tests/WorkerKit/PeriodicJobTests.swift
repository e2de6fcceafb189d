import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("A periodic job", .timeLimit(.minutes(1)))
@Loop struct PeriodicJobTests {
    /// What a test counts.
    @Loop private final class Rounds {
        var begun = 0
        var ended = 0
    }

    private static let never: ClosedRange<Duration> = .seconds(3600) ... .seconds(3600)
    private let rounds = Rounds()

    /// Runs a job beside a body, which must have ended the job when it ends itself.
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

    @Test("does a round after each pause, and none before the first")
    func pauses() async throws {
        let job = PeriodicJob(every: .milliseconds(20) ... .milliseconds(30))
        let began = ContinuousClock.now
        try await run(job) { () async throws in
            #expect(try await eventually { rounds.ended >= 5 })
            job.close()
        }
        #expect(ContinuousClock.now - began >= .milliseconds(20) * rounds.ended)
    }

    @Test("pauses as long as chance says within its bounds, so that two that start together part")
    func chance() {
        let bounds: ClosedRange<Duration> = .seconds(600) ... .seconds(1200)
        let job = PeriodicJob(every: bounds)
        let lengths = (0..<1000).map { _ in job.length() }
        #expect(lengths.allSatisfy(bounds.contains))
        #expect(lengths.contains { $0 < .seconds(750) })
        #expect(lengths.contains { $0 > .seconds(1050) })
        #expect(Set(lengths).count > 900)
        #expect(PeriodicJob(every: Self.never).length() == .seconds(3600))
    }

    @Test("begins a round at once where it is nudged, before it runs or in its pause")
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

    @Test("does one more round for all nudges of a round, and none for those that the round has absorbed")
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

    @Test("ends where it is closed, at whatever moment, and lets the round that is under way end")
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
        let gate = Gate()
        job.nudge()
        try await run(job) {
            await gate.pass()
        } _: { () async throws in
            #expect(try await eventually { rounds.begun == 1 })
            job.close()
            job.nudge()
            try await Loop.sleep(for: .milliseconds(20))
            #expect(rounds.ended == 0)
            gate.open()
        }
        #expect(rounds.begun == 1 && rounds.ended == 1)
    }

    @Test("ends where its task is cancelled, at whatever moment")
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

    @Test("leaves no timer behind that would keep it, however long its pauses are")
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
