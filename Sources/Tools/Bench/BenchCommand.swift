import ArgumentParser
import AtomicFile
import BenchKit
import Contracts
import Glibc
import LocalStack
import Reactor

/// The command `warren-bench`, which `compose/local bench` runs after it has started a stack.
@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warren-bench",
        abstract: "Measure throughput, latency, CPU time and memory of a stack.",
        discussion: """
            Prints a table, and writes the results as JSON and as a chart. Each case is measured in every round with \
            every number of connections, and so is raw request-reply through the broker.

            Cases: \(BenchCase.allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: "; ")); \
            memory (the memory after 100,000 and 1,000,000 requests; run it alone, so that the daemons are new); \
            workers (one and two workers that take 5 ms).
            """)

    @Flag(help: "Measure for about a minute: three cases, two rounds, and few posts.")
    var quick = false
    @Option(name: .customLong("case"), help: "A case to measure; can be repeated. (default: all)")
    var cases: [CaseName] = []
    @Option(help: "The numbers of connections, separated by commas.")
    var connections: NumberList?
    @Option(help: "How often each case is measured.")
    var rounds: Int?
    @Option(help: "The seconds of each measurement, at most 300.")
    var seconds: Int?
    @Option(help: "The posts of the data set `large`; 0 to measure with `small` only.")
    var posts: Int?
    @Option(help: "The number of accounts that send the requests.")
    var accounts: Int?
    @Option(help: "The file for the results. (default: bench.json in the stack's folder)")
    var json: String?
    @Option(help: "The file for the chart. (default: bench.svg in the stack's folder)")
    var svg: String?
    @Flag(help: "Print the number of measurements, and measure nothing.")
    var dryRun = false

    func validate() throws {
        // The access tokens are renewed between measurements, so a measurement must be shorter than their validity.
        for (name, value, maximum) in [
            ("rounds", rounds, 10_000), ("seconds", seconds, 300), ("accounts", accounts, 10_000),
        ] {
            if let value, !(1...maximum).contains(value) {
                throw ValidationError("--\(name) must be from 1 to \(maximum)")
            }
        }
        if let posts, !(0...20_000_000).contains(posts) {
            throw ValidationError("--posts must be from 0 to 20000000")
        }
        for (name, path) in [("json", json), ("svg", svg)] {
            guard let path else { continue }
            let folder = path.contains("/") ? "\(path[...(path.lastIndex(of: "/") ?? path.startIndex)])" : "."
            // A path that ends with `/.` exists only if it is a folder.
            guard access("\(folder)/.", F_OK) == 0 else {
                throw ValidationError("--\(name): there is no folder \(folder)")
            }
        }
    }

    /// The measurements that the options choose.
    var plan: BenchPlan {
        var plan = quick ? BenchPlan.quick : .full
        if !cases.isEmpty {
            plan.cases = cases.compactMap(\.work).withoutDuplicates
            plan.memorySteps = cases.contains(.memory) ? BenchPlan.full.memorySteps : []
            plan.workerCounts = cases.contains(.workers) ? BenchPlan.full.workerCounts : []
            // The two special cases do not depend on how many posts there are.
            if plan.cases.isEmpty { plan.largePosts = 0 }
        }
        if let connections { plan.connections = connections.numbers.withoutDuplicates }
        if let rounds { plan.rounds = rounds }
        if let seconds { plan.seconds = seconds }
        if let posts { plan.largePosts = posts }
        if let accounts { plan.accounts = accounts }
        return plan
    }

    func run() async throws {
        let plan = plan
        guard !dryRun else {
            printLine("  \(plan.measurements) measurements of \(plan.seconds) s")
            return
        }
        // A program that ends while the bench writes to its standard input must not end the bench.
        signal(SIGPIPE, SIG_IGN)
        do {
            let stack = try Stack()
            let json = self.json ?? "\(stack.folder)/bench.json"
            let svg = self.svg ?? "\(stack.folder)/bench.svg"
            let save: @Sendable (BenchResult) throws -> Void = { result in
                for (path, text) in [(json, result.json.pretty()), (svg, LatencyChart(result).svg)] {
                    try AtomicFile(path, mode: 0o644).write(Array(text.utf8), replacing: true)
                }
            }
            let result = try await withTaskExecutorPreference(Loop.executor) {
                try await BenchRun(stack: stack, plan: plan, save: save).run()
            }
            printLine("\n\(result.table)\nwritten: \(json)\nwritten: \(svg)")
        } catch let error as BenchError {
            printLine("warren-bench: \(error)", to: STDERR_FILENO)
            throw ExitCode.failure
        }
    }
}

extension Array where Element: Hashable {
    /// The elements in order, without those that are equal to an earlier one.
    fileprivate var withoutDuplicates: [Element] {
        var known: Set<Element> = []
        return filter { known.insert($0).inserted }
    }
}

/// Numbers that are separated by commas.
struct NumberList: ExpressibleByArgument {
    let numbers: [Int]

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard !numbers.isEmpty, numbers.count == argument.split(separator: ",", omittingEmptySubsequences: false).count,
            numbers.allSatisfy({ (1...1000).contains($0) })
        else { return nil }
        self.numbers = numbers
    }
}

/// A value of `--case`.
struct CaseName: ExpressibleByArgument, Hashable {
    /// The growth of the memory.
    static let memory = CaseName(text: "memory", work: nil)
    /// The throughput of several workers.
    static let workers = CaseName(text: "workers", work: nil)
    static let all = BenchCase.allCases.map { CaseName(text: $0.rawValue, work: $0) } + [memory, workers]

    let text: String
    /// The case that is measured in every round; `nil` for the two special cases.
    let work: BenchCase?

    private init(text: String, work: BenchCase?) {
        (self.text, self.work) = (text, work)
    }

    init?(argument: String) {
        guard let name = Self.all.first(where: { $0.text == argument }) else { return nil }
        self = name
    }

    static var allValueStrings: [String] { all.map(\.text) }
}

/// A reason why the bench cannot continue.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
