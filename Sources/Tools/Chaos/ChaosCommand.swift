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
            Clients send requests and note what they were told, while faults follow a schedule that the seed \
            determines. After each fault, the notes are compared with the databases, the search index, the pictures \
            and the queues. At first every fault comes up alone, then two or three come up together.
            """)

    @Option(help: "How long faults are begun, in minutes.")
    var minutes: Double = 10
    @Option(help: "The seed of the schedule. (default: a random number)")
    var seed: UInt64?
    @Option(name: .customLong("fault"), help: "A fault to cause; can be repeated. (default: all)")
    var faultNames: [FaultName] = []
    @Option(help: "The seconds of an outage that is meant to be long.")
    var outageSeconds: Int = 600
    @Flag(help: "Cause each fault once, in as little time as possible.")
    var short = false
    @Flag(help: "Print the faults as a Markdown table, and do nothing else.")
    var list = false
    @Flag(help: "Check the options only.")
    var dryRun = false

    func validate() throws {
        guard (0...1_440).contains(minutes) else { throw ValidationError("--minutes must be from 0 to 1440") }
        guard (1...3_600).contains(outageSeconds) else {
            throw ValidationError("--outage-seconds must be from 1 to 3600")
        }
    }

    func run() async throws {
        if list { printLine(FaultCatalog.table) }
        guard !list, !dryRun else { return }
        // A program that ends while the suite writes to its standard input must not end the suite.
        signal(SIGPIPE, SIG_IGN)
        let options = ChaosOptions(
            faults: chosenFaults.filter { isRoot || !$0.needsRoot },
            omitted: chosenFaults.filter { !isRoot && $0.needsRoot },
            seed: seed ?? UInt64.random(in: 1...999_999),
            duration: short ? .zero : .seconds(minutes * 60), longOutage: .seconds(outageSeconds),
            runsAll: short || !faultNames.isEmpty)
        printLine("seed \(options.seed)")
        for fault in options.omitted { printLine("\(fault.name) is left out, because it needs root") }
        do {
            let report = try await withTaskExecutorPreference(Loop.executor) {
                try await ChaosRun(options, Addresses()).run()
            }
            printLine("\n\(report.text)")
            guard report.findingCount == 0 else { throw ExitCode.failure }
        } catch let error as ChaosError {
            printLine("warren-chaos: \(error)", to: STDERR_FILENO)
            throw ExitCode(2)
        }
    }

    private var isRoot: Bool { geteuid() == 0 }

    private var chosenFaults: [Fault] {
        let names = Set(faultNames.isEmpty && short ? FaultCatalog.short : faultNames.map(\.name))
        return FaultCatalog.all.filter { names.isEmpty || names.contains($0.name) }
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
}
