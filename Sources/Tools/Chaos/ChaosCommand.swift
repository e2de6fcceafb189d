import ArgumentParser
import ChaosKit
import Glibc
import LocalStack
import Reactor

/// The command `warren-chaos`, which `compose/local chaos` runs after it has started a stack.
@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warren-chaos",
        abstract: "Attack a running stack, and check that every promise is kept.",
        discussion: """
            Clients send requests and keep a ledger of the outcomes, while faults follow a schedule that the seed \
            determines. After each fault, the ledger is compared with the databases, the search index, the pictures \
            and the queues. In every other episode, two or three faults come up together.
            """)

    @Option(help: "Begin no new episode after this number of minutes.")
    var minutes: Double = 10
    @Option(help: "The seed of the schedule. (default: a random number)")
    var seed: UInt64?
    @Option(name: .customLong("fault"), help: "A fault to cause; can be repeated. (default: all)")
    var faultNames: [FaultName] = []
    @Option(help: "The seconds of a long outage. (default: 600; 20 with --short)")
    var outageSeconds: Int?
    @Flag(help: "Cause some quick faults once each.")
    var short = false
    @Flag(help: "Use a cluster of three brokers, and cause the faults of its nodes.")
    var cluster = false
    @Flag(help: "Print the faults as a Markdown table, and do nothing else.")
    var list = false
    @Flag(help: "Check the options only.")
    var dryRun = false

    func validate() throws {
        guard (0...1_440).contains(minutes) else { throw ValidationError("--minutes must be from 0 to 1440") }
        let clusterNames = Set(ClusterFaults.all.map { $0.name })
        if !cluster, let fault = faultNames.first(where: { clusterNames.contains($0.name) }) {
            throw ValidationError("\(fault.name) needs --cluster")
        }
        // An access token must be valid until the end of an episode.
        if let outageSeconds, !(1...660).contains(outageSeconds) {
            throw ValidationError("--outage-seconds must be from 1 to 660")
        }
    }

    func run() async throws {
        // A program that ends while the suite writes to it must not end the suite.
        signal(SIGPIPE, SIG_IGN)
        if list { printLine(FaultCatalog.table) }
        guard !list, !dryRun else { return }
        let seed = seed ?? UInt64.random(in: 1...999_999)
        let faults = chosenFaults(seed)
        let options = ChaosOptions(
            faults: faults.filter { isRoot || !$0.needsRoot }, omitted: faults.filter { !isRoot && $0.needsRoot },
            seed: seed,
            duration: short ? .zero : .seconds(minutes * 60), longOutage: .seconds(outageSeconds ?? (short ? 20 : 600)),
            runsAll: short || !faultNames.isEmpty, isMixing: !short)
        printLine("seed \(options.seed)")
        for fault in options.omitted { printLine("\(fault.name) is left out, because it needs root") }
        guard !options.faults.isEmpty else {
            printLine("warren-chaos: no fault is left", to: STDERR_FILENO)
            throw ExitCode(2)
        }
        let failure = await withTaskExecutorPreference(Loop.executor) { await Self.run(options) }
        if let failure { throw failure }
    }

    /// Runs the suite and prints its report.
    ///
    /// - Returns: the exit status if it is not 0.
    @Loop private static func run(_ options: ChaosOptions) async -> ExitCode? {
        do {
            let run = try ChaosRun(options, Addresses())
            do {
                try await run.run()
            } catch {
                printLine("\n\(run.report.text)")
                printLine("warren-chaos: \(error)", to: STDERR_FILENO)
                return ExitCode(run.report.findingCount > 0 ? 1 : 2)
            }
            printLine("\n\(run.report.text)")
            let status = run.report.exitStatus
            return status == 0 ? nil : ExitCode(status)
        } catch {
            printLine("warren-chaos: \(error)", to: STDERR_FILENO)
            return ExitCode(2)
        }
    }

    private var isRoot: Bool { geteuid() == 0 }

    private func chosenFaults(_ seed: UInt64) -> [Fault] {
        let names = Set(faultNames.map(\.name))
        if !names.isEmpty { return FaultCatalog.all.filter { names.contains($0.name) } }
        return cluster ? ClusterFaults.all : FaultCatalog.faults(isShort: short, seed: seed)
    }
}

/// A value of `--fault`.
struct FaultName: ExpressibleByArgument, Hashable {
    let name: String

    init?(argument: String) {
        guard FaultCatalog.fault(named: argument) != nil else { return nil }
        name = argument
    }

    static var allValueStrings: [String] { FaultCatalog.all.map(\.name) }
}

/// The options of a run.
struct ChaosOptions: Sendable {
    let faults: [Fault]
    /// The chosen faults that this user cannot cause.
    let omitted: [Fault]
    let seed: UInt64
    /// The time after which no further episode begins.
    let duration: Duration
    let longOutage: Duration
    /// Whether each fault comes up at least once, even if the time is over.
    let runsAll: Bool
    /// Whether faults run together in every other episode.
    let isMixing: Bool
}
