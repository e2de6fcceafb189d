import ChaosKit
import Contracts
import Glibc
import LocalStack
import Reactor

/// A run of the suite: episode after episode, until the time is over.
@Loop final class ChaosRun {
    /// The number of accounts that send the requests.
    private static let accounts = 8

    private let options: ChaosOptions
    private let testbed: Testbed
    /// The results so far.
    private(set) var report: ChaosReport

    init(_ options: ChaosOptions, _ addresses: Addresses) throws {
        self.options = options
        report = ChaosReport(seed: options.seed, faults: options.faults.map(\.name), isMixing: options.isMixing)
        testbed = try Testbed(addresses, seed: options.seed)
    }

    /// Runs episodes.
    ///
    /// - Throws: ``ChaosError`` and other errors if a fault cannot be caused or removed.
    func run() async throws {
        do {
            try await testbed.broker.declare(queue: EventCounter.queue, bindings: [(Exchange.events, "#")])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.testbed.databases.run() }
                group.addTask { await self.testbed.events.run() }
                let result: Result<Void, any Error>
                do { result = .success(try await self.runEpisodes()) } catch { result = .failure(error) }
                await self.testbed.databases.close()
                await self.testbed.events.close()
                try await group.waitForAll()
                try result.get()
            }
            await testbed.close()
        } catch {
            await testbed.close()
            throw error
        }
    }

    private func runEpisodes() async throws {
        printLine("starting \(Testbed.workers) processes of each worker and two ingresses")
        try await testbed.startMissingProcesses()
        try await testbed.noteQueues()
        try await testbed.clients.register(Self.accounts)
        let faults = options.faults
        var plan = ChaosPlan(
            demands: Dictionary(faults.map { ($0.name, $0.demands) }, uniquingKeysWith: { $1 }), seed: options.seed,
            isMixing: options.isMixing)
        let deadline = ContinuousClock.now + options.duration
        repeat {
            let names = plan.next()
            let number = report.episodes.count + 1
            let episode = Episode(
                number: number, faults: names.compactMap(FaultCatalog.fault), testbed: testbed,
                longOutage: options.longOutage)
            let began = ContinuousClock.now
            let (result, error) = await episode.run()
            report.add(result)
            printLine(
                "\(number): \(names.joined(separator: " + ")): \(result.commands) commands in "
                    + "\((ContinuousClock.now - began).secondsText), settled after \(result.settled.secondsText), "
                    + Self.verdict(result))
            printFindings(result.findings)
            if let error { throw error }
        } while .now < deadline || (options.runsAll && !plan.hasCausedAll)
        try await checkAllItems()
    }

    /// Compares all items of the run with the stores once more. An item that was right at the end of its episode must
    /// not change afterwards.
    private func checkAllItems() async throws {
        let clients = testbed.clients
        let reader = EffectReader(databases: testbed.databases, events: testbed.events, mediaHost: testbed.mediaHost)
        report.finalFindings = Reckoning.violations(
            clients.earlierItems + clients.items, marks: clients.marks, try await reader.read(prefix: ""))
        report.finalFindings += [await testbed.stopSecondIngress()].compactMap { $0 } + testbed.takeUnexpectedExits()
        printFindings(report.finalFindings)
    }

    private static func verdict(_ result: EpisodeResult) -> String {
        if !result.findings.isEmpty { return "\(result.findings.count) BROKEN PROMISES" }
        return result.failure == nil ? "kept" : "ENDED EARLY"
    }

    /// Prints the first findings, and appends all of them to a file.
    private func printFindings(_ findings: [String]) {
        for finding in findings.prefix(20) { printLine("    \(finding)") }
        guard findings.count > 20 else { return }
        let path = "\(testbed.stack.state)/log/chaos-findings.log"
        printLine("    and \(findings.count - 20) more in \(path)")
        guard let file = fopen(path, "a") else { return }
        defer { fclose(file) }
        for finding in findings { fputs("\(finding)\n", file) }
    }
}
