import ChaosKit
import Contracts
import LocalStack
import Reactor

/// A run of the suite: episode after episode, until the time is over.
@Loop final class ChaosRun {
    /// The number of accounts that send the requests.
    private static let accounts = 8

    private let options: ChaosOptions
    private let world: World
    /// The results so far.
    private(set) var report: ChaosReport

    init(_ options: ChaosOptions, _ addresses: Addresses) throws {
        self.options = options
        report = ChaosReport(seed: options.seed)
        world = try World(addresses, seed: options.seed)
    }

    /// Runs episodes.
    ///
    /// - Throws: ``ChaosError`` and other errors if a fault cannot be caused or removed.
    func run() async throws {
        do {
            try await world.broker.declare(queue: EventCounter.queue, bindings: [(Exchange.events, "#")])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.world.databases.run() }
                group.addTask { await self.world.events.run() }
                let result: Result<Void, any Error>
                do { result = .success(try await self.runEpisodes()) } catch { result = .failure(error) }
                await self.world.databases.close()
                await self.world.events.close()
                try await group.waitForAll()
                try result.get()
            }
            await world.close()
        } catch {
            await world.close()
            throw error
        }
    }

    private func runEpisodes() async throws {
        printLine("starting \(World.workers) processes of each worker and two ingresses")
        try await world.startMissingProcesses()
        try await world.clients.register(Self.accounts)
        let faults = options.faults
        var plan = ChaosPlan(
            demands: Dictionary(faults.map { ($0.name, $0.demands) }, uniquingKeysWith: { $1 }), seed: options.seed)
        let deadline = ContinuousClock.now + options.duration
        repeat {
            let names = plan.next()
            let number = report.episodes.count + 1
            let episode = Episode(
                number: number, faults: names.compactMap(FaultCatalog.fault), world: world,
                longOutage: options.longOutage)
            let began = ContinuousClock.now
            let result = try await episode.run()
            report.add(result)
            printLine(
                "\(number): \(names.joined(separator: " + ")): \(result.commands) commands in "
                    + "\((ContinuousClock.now - began).secondsText), settled after \(result.settled.secondsText), "
                    + (result.findings.isEmpty ? "kept" : "\(result.findings.count) BROKEN PROMISES"))
            for finding in result.findings.prefix(20) { printLine("    \(finding)") }
        } while .now < deadline || (options.runsAll && report.episodes.count < faults.count)
    }
}
