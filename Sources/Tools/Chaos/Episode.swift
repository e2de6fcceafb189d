import ChaosKit
import Contracts
import LocalStack
import Reactor

/// One episode: the clients work, the faults begin and end, the stack settles, and what the clients were told is
/// compared with what the stores have.
@Loop struct Episode {
    /// The time before the first fault and after the last recovery in which the clients work undisturbed.
    private static let calm: Duration = .seconds(3)
    /// The time within which all queues and outboxes must be empty.
    private static let settlingLimit: Duration = .seconds(60)
    /// After this time, a command with a 202 is given up if the fault deletes its queue.
    private static let lossLimit: Duration = .seconds(10)
    /// `rabbitmqctl list_queues` can report counts that are up to 5 s old; 6 s leave a margin.
    private static let queueStatisticsAge: Duration = .seconds(6)

    let number: Int
    let faults: [Fault]
    let testbed: Testbed
    let longOutage: Duration

    /// Runs the episode.
    ///
    /// - Returns: the result, and the error that ended the episode early. If the product is right, an error means that
    ///   the fault could not be caused or removed.
    func run() async -> (result: EpisodeResult, error: (any Error)?) {
        var result = EpisodeResult(faults: faults.map(\.name))
        let runs = faults.map { FaultRun($0, longOutage: longOutage) }
        var failure: (any Error)?
        do {
            try await run(runs, &result)
        } catch {
            failure = error
            result.failure = "\(error)"
        }
        let log = testbed.http.log
        result.findings += testbed.clients.findings + runs.flatMap(\.findings)
        // Faults that did not end have no window, so the calls of an unfinished episode cannot be judged.
        if failure == nil { result.findings += CallCheck(runs.compactMap(\.window), log).findings }
        result.findings += testbed.events.takeEarlyEvents() + testbed.takeUnexpectedExits()
        let malformed = testbed.events.takeMalformed()
        if malformed > 0 { result.findings.append("\(malformed) events were malformed") }
        result.statuses = runs.reduce(into: log.countsByStatus) { $0.merge($1.statuses) { $0 + $1 } }
        result.commands = testbed.clients.commandCount
        return (result, failure)
    }

    private func run(_ runs: [FaultRun], _ result: inout EpisodeResult) async throws {
        try await testbed.clients.renewTokens()
        testbed.clients.beginEpisode(number, runs)
        let began = ContinuousClock.now
        try await testbed.clients.work(episode: number) {
            try await Loop.sleep(for: Self.calm)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for run in runs { group.addTask { try await run.fault.attack(testbed, run) } }
                try await group.waitForAll()
            }
            try await awaitRecovery(runs)
        }
        for service in faults.reduce(into: Set<ServiceName>(), { $0.formUnion($1.allowance.affected) }) {
            result.interruptions[service] = testbed.http.log.longestInterruption(of: service, since: began)
        }
        let settling = ContinuousClock.now
        try await testbed.startMissingProcesses()
        result.findings += try await settle(runs)
        result.settled = .now - settling
        let stored = runs.compactMap { run in run.fault.storesLate.flatMap { late in run.ended.map { $0 + late } } }
        if let last = stored.max() { try await testbed.sweepLatePictures(after: last) }
        let effects = try await reader.read(prefix: testbed.clients.prefix)
        result.findings += Reckoning.violations(testbed.clients.items, marks: testbed.clients.marks, effects)
        result.findings += await testbed.clients.checkViews(effects)
    }

    /// Waits until each affected service has answered requests that began after the faults, or the limit has passed.
    /// Then lets the clients work on for some seconds, in which all requests must succeed again.
    private func awaitRecovery(_ runs: [FaultRun]) async throws {
        let windows = runs.compactMap(\.window)
        let limit = windows.map { $0.ended + $0.allowance.recovery }.max() ?? .now
        while !CallCheck(windows, testbed.http.log).isRecovered, .now < limit {
            try await Loop.sleep(for: .milliseconds(100))
        }
        if .now < limit { for run in runs { run.recovered = .now } }
        var rest = Self.calm
        if windows.contains(where: { !$0.allowance.affected.isEmpty }) { rest += FaultWindow.stabilization }
        // Until then, the caches may have posts that were deleted during the fault.
        if faults.contains(where: { $0.targets.contains(.redis) }) { rest += Clients.staleness }
        try await Loop.sleep(for: rest)
    }

    // MARK: The reckoning

    /// Waits until all commands have an outcome and everything is empty.
    ///
    /// - Returns: a line for everything that is left after a minute.
    private func settle(_ runs: [FaultRun]) async throws -> [String] {
        let deadline = ContinuousClock.now + Self.settlingLimit
        var findings: [String] = []
        if let run = runs.first(where: { $0.fault.losesQueuedCommands }) {
            _ = await testbed.clients.settle(until: .now + Self.lossLimit)
            testbed.clients.giveUpPosts(sentBefore: run.caused ?? .now)
        }
        findings += await testbed.clients.settle(until: deadline)
        let deadLetters = runs.reduce(into: [String: Int]()) { $0.merge($1.deadLetters) { $0 + $1 } }
        findings += try await awaitEmptyQueues(deadLetters, until: deadline)
        // The dead letters must not count for the next episode.
        for queue in try await testbed.broker.queues() where queue.name.hasSuffix(".dead") && queue.messages != 0 {
            try await testbed.broker.purge(queue.name)
        }
        return findings
    }

    /// Waits until all queues and outboxes are empty. A message that moves from one queue to another can be missing in
    /// the statistics of both, so they must be empty twice.
    private func awaitEmptyQueues(
        _ deadLetters: [String: Int], until deadline: ContinuousClock.Instant
    ) async throws -> [String] {
        var empty: ContinuousClock.Instant?
        while true {
            let leftovers = try await leftovers(deadLetters)
            if !leftovers.isEmpty {
                guard .now < deadline else { return leftovers }
                empty = nil
                try await Loop.sleep(for: .milliseconds(500))
            } else if let empty, .now >= empty + Self.queueStatisticsAge {
                return []
            } else {
                empty = empty ?? .now
                try await Loop.sleep(for: Self.queueStatisticsAge)
            }
        }
    }

    /// Returns a line for each queue and each outbox that is not empty, for each unexpected number of dead letters, and
    /// for each queue that is missing.
    private func leftovers(_ deadLetters: [String: Int]) async throws -> [String] {
        var lines = try await reader.outboxes().filter { $0.value > 0 }
            .map { "the outbox of \($0.key.rawValue) has \($0.value) events" }
        let queues = try await testbed.broker.queues()
        for queue in queues where !queue.name.hasPrefix("amq.gen-") {
            let expected = deadLetters[queue.name] ?? 0
            if queue.messages != expected {
                let count = queue.messages.map { "\($0) messages" } ?? "no node"
                lines.append("\(queue.name) has \(count) instead of \(expected) messages")
            }
        }
        let missing = testbed.queueNames.subtracting(queues.map(\.name)).sorted()
        return lines + missing.map { "the queue \($0) is missing" }
    }

    private var reader: EffectReader {
        EffectReader(databases: testbed.databases, events: testbed.events, mediaHost: testbed.mediaHost)
    }
}
