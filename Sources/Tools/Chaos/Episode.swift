import ChaosKit
import Contracts
import Glibc
import LocalStack
import Reactor

/// One episode: the clients work, the faults begin and end, the stack settles, and what the clients were told is
/// compared with what the stores have.
@Loop struct Episode {
    /// The time before the first fault and after the last one in which the clients work undisturbed.
    private static let calm: Duration = .seconds(3)
    /// The time within which all queues and outboxes must be empty.
    private static let settlingLimit: Duration = .seconds(60)
    /// The time after which an accepted command counts as lost if the fault may lose it.
    private static let lossLimit: Duration = .seconds(10)
    /// `rabbitmqctl list_queues` can report counts that are up to 5 s old; 6 s leave a margin.
    private static let queueStatisticsAge: Duration = .seconds(6)

    let number: Int
    let faults: [Fault]
    let world: World
    let longOutage: Duration

    /// Runs the episode.
    ///
    /// - Throws: the error that made it impossible to cause or to remove a fault.
    func run() async throws -> EpisodeResult {
        var result = EpisodeResult(faults: faults.map(\.name))
        try await world.clients.renewTokens()
        world.clients.beginEpisode(number)
        let runs = faults.map { FaultRun($0, longOutage: longOutage) }
        let pids = try processes()
        world.ended = []
        let began = ContinuousClock.now
        try await world.clients.work(episode: number) {
            try await Loop.sleep(for: Self.calm)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for run in runs { group.addTask { try await self.attack(run) } }
                try await group.waitForAll()
            }
            try await awaitRecovery(runs)
            try await Loop.sleep(for: Self.calm)
        }
        let affected = faults.reduce(into: Set<ServiceName>()) { $0.formUnion($1.affected) }
        for service in affected {
            result.interruptions[service] = world.http.log.longestInterruption(of: service, since: began)
        }
        result.statuses = world.http.log.countsByStatus
        result.findings += try await settle(&result, runs)
        result.findings += world.clients.findings + runs.flatMap(\.findings)
        result.findings += CallCheck(runs: runs, log: world.http.log).findings
        if world.events.malformed > 0 { result.findings.append("\(world.events.malformed) events were malformed") }
        result.commands = world.clients.commandCount
        result.findings += try unexpectedExits(pids)
        return result
    }

    private func attack(_ run: FaultRun) async throws { try await run.fault.attack(world, run) }

    /// Waits until each affected service has answered a request that began after the faults, or its limit has passed.
    private func awaitRecovery(_ runs: [FaultRun]) async throws {
        for run in runs {
            guard let ended = run.ended else { continue }
            while .now < ended + run.fault.recovery, !hasRecovered(run, since: ended) {
                try await Loop.sleep(for: .milliseconds(100))
            }
        }
    }

    private func hasRecovered(_ run: FaultRun, since ended: ContinuousClock.Instant) -> Bool {
        run.fault.affected.flatMap(CallCheck.typicalCalls).allSatisfy {
            world.http.log.firstSuccess(of: $0, after: ended) != nil
        }
    }

    // MARK: The reckoning

    /// Waits until all commands have an outcome and everything is empty, then compares the ledger with the stores.
    private func settle(_ result: inout EpisodeResult, _ runs: [FaultRun]) async throws -> [String] {
        let start = ContinuousClock.now
        var findings: [String] = []
        try await world.startMissingProcesses()
        let mayLose = faults.contains(where: \.losesQueuedCommands)
        let open = await world.clients.settle(until: start + (mayLose ? Self.lossLimit : Self.settlingLimit))
        if mayLose {
            world.clients.giveUpAcceptedPosts()
            findings += await world.clients.settle(until: .now + Self.settlingLimit)
        } else {
            findings += open
        }
        let quiet = ContinuousClock.now
        let expected = runs.reduce(into: [String: Int]()) { $0.merge($1.deadLetters) { $0 + $1 } }
        var rest = try await remainders(expected)
        while !rest.isEmpty || .now < quiet + Self.queueStatisticsAge {
            guard .now < max(start + Self.settlingLimit, quiet + Self.queueStatisticsAge) else { break }
            try await Loop.sleep(for: .milliseconds(500))
            rest = try await remainders(expected)
        }
        findings += rest
        // The dead letters must not count for the next episode.
        for queue in try await world.broker.queues() where queue.name.hasSuffix(".dead") && queue.messages > 0 {
            try await world.broker.purge(queue.name)
        }
        result.settled = .now - start
        let reader = EffectReader(databases: world.databases, events: world.events, mediaHost: world.mediaHost)
        findings += Reckoning.violations(
            world.clients.items, try await reader.read(prefix: world.clients.prefix))
        return findings
    }

    /// Returns a line for each queue and each outbox that is not empty, and for each unexpected number of dead letters.
    private func remainders(_ deadLetters: [String: Int]) async throws -> [String] {
        let reader = EffectReader(databases: world.databases, events: world.events, mediaHost: world.mediaHost)
        var lines = try await reader.outboxes().filter { $0.value > 0 }
            .map { "the outbox of \($0.key.rawValue) has \($0.value) events" }
        for queue in try await world.broker.queues() where !queue.name.hasPrefix("amq.gen-") {
            let expected = deadLetters[queue.name] ?? 0
            if queue.messages != expected {
                lines.append("\(queue.name) has \(queue.messages) messages instead of \(expected)")
            }
        }
        return lines
    }

    // MARK: Processes

    /// Returns the pids of the stack's processes.
    private func processes() throws -> [String: pid_t] {
        var names = ["ingress-1", "cloudinary-local-1"]
        for worker in Stack.workers { names += (1...World.workers).map { "\(worker)-\($0)" } }
        return try Dictionary(names.map { ($0, try world.stack.pid($0)) }, uniquingKeysWith: { $1 })
    }

    /// Returns a line for each process that no longer runs with its pid, although no fault has ended it.
    private func unexpectedExits(_ pids: [String: pid_t]) throws -> [String] {
        try pids.sorted { $0.key < $1.key }.compactMap { name, pid in
            guard !world.ended.contains(name) else { return nil }
            let current = try world.stack.pid(name)
            guard !Stack.isAlive(pid) || current != pid else { return nil }
            return "\(name) has exited, although no fault has ended it"
        }
    }
}
