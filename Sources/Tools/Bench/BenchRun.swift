import BenchKit
import Contracts
import FoundationEssentials
import LocalStack
import Reactor

/// A run of the bench, from the registration of the accounts to the last measurement.
@Loop final class BenchRun {
    /// After a measurement, the next one begins when all processes of the stack together use less than this share of a
    /// core, for example because the search worker has indexed all new posts.
    private static let idleShare = 0.06
    /// The maximum time to wait until the stack is idle.
    private static let settlingTime: Duration = .seconds(30)
    /// The connections of the warm-up and of the measurement of the memory.
    private static let usualConnections = 64

    private let stack: Stack
    private let plan: BenchPlan
    private let save: @Sendable (BenchResult) throws -> Void
    private let processes: ProcessTable
    private let load: LoadGenerator
    private let databases: Databases
    private let words = WordList()
    private var result: BenchResult

    /// - Parameter save: stores the results. It is called after each round too, because a later one may fail.
    init(stack: Stack, plan: BenchPlan, save: @escaping @Sendable (BenchResult) throws -> Void) throws {
        self.stack = stack
        self.plan = plan
        self.save = save
        processes = ProcessTable(stack: stack)
        load = try LoadGenerator(stack: stack)
        let now = Timestamp.now()
        // The seeded posts are older than every post that the load creates.
        databases = Databases(
            stack: stack, posts: SeedPosts(newest: now.advanced(by: .seconds(-3600)), words: words))
        result = BenchResult(plan: plan, machine: .local(commit: stack.commit), startedAt: now)
    }

    /// Makes all measurements.
    ///
    /// - Throws: ``BenchError`` and the errors of the drivers if a measurement is not possible.
    func run() async throws -> BenchResult {
        let start = ContinuousClock.now
        let accounts = try await step("registering \(plan.accounts) accounts") {
            try await Accounts(count: plan.accounts, url: stack.url)
        }
        defer { accounts.close() }
        var stored = 0
        for dataSet in plan.dataSets {
            let fill = try await step("storing and indexing \(dataSet.posts - stored) posts") {
                try await databases.fill(stored..<dataSet.posts)
            }
            stored = dataSet.posts
            result.fills.append(.init(dataSet: dataSet, copySeconds: fill.copySeconds, indexSeconds: fill.indexSeconds))
            try await settle()
            for round in 1...plan.rounds where !plan.cases.isEmpty {
                printLine("round \(round) of \(plan.rounds), data set \(dataSet.name)")
                try await measureRound(dataSet, accounts)
                try saveResult(since: start)
            }
        }
        try await measureMemory(accounts)
        try await measureWorkers(accounts)
        try load.removeFiles()
        try saveResult(since: start)
        return result
    }

    private func saveResult(since start: ContinuousClock.Instant) throws {
        result.seconds = (ContinuousClock.now - start).seconds
        try save(result)
    }

    /// Measures the raw limit and every case once with every number of connections.
    private func measureRound(_ dataSet: DataSet, _ accounts: Accounts) async throws {
        for kind in RawKind.allCases {
            for inFlight in plan.connections {
                let point = BenchResult.RawPoint(kind: kind, inFlight: inFlight)
                let raw = try await load.measureRaw(point, seconds: plan.rawSeconds)
                report("raw \(kind.rawValue)", inFlight, raw.perSecond, raw.latency)
                result.add(raw, at: point)
                try await settle()
            }
        }
        for work in plan.cases(of: dataSet) {
            try await accounts.renewTokens()
            let requests = requests(of: work, dataSet, accounts)
            if let count = work.warmingRequests { try await warmUp(requests, count) }
            for connections in plan.connections(of: work) {
                let measurement = try await measure(work, requests, connections)
                report(work.rawValue, connections, measurement.load.perSecond, measurement.load.latency)
                result.add(
                    measurement, at: .init(dataSet: dataSet.name, work: work, connections: connections))
            }
        }
    }

    /// Sends load for a second, or longer until the first `count` requests have filled the caches.
    private func warmUp(_ requests: RequestList, _ count: Int) async throws {
        let sent = try await load.run(requests, connections: Self.usualConnections, seconds: 1).load.requests
        if sent < count {
            _ = try await load.run(
                requests, connections: Self.usualConnections, seconds: min(30, count / max(1, sent) + 1))
        }
        try await settle()
    }

    private func requests(of work: BenchCase, _ dataSet: DataSet, _ accounts: Accounts) -> RequestList {
        RequestFactory(
            host: stack.host, accounts: accounts.all, posts: databases.posts, words: words, dataSet: dataSet,
            seconds: plan.seconds
        ).requests(of: work)
    }

    private func measure(_ work: BenchCase, _ requests: RequestList, _ connections: Int) async throws -> CaseMeasurement
    {
        if work.startsCold { try await databases.emptyCaches() }
        let before = try processes.read()
        let (load, microseconds) = try await load.run(requests, connections: connections, seconds: plan.seconds)
        // What a request causes after its response, such as an index entry, belongs to its cost.
        try await settle()
        var after = try processes.read()
        if work == .upload { try removeUploads() }
        var start = before
        start["wrk"] = ProcessUse(microseconds: 0, memory: 0)
        after["wrk"] = ProcessUse(microseconds: microseconds, memory: 0)
        let memory = after.filter { $0.key != "wrk" }.mapValues(\.memory)
        return CaseMeasurement(
            load: load, microseconds: microsecondsPerRequest(start, after, requests: load.sent), memory: memory)
    }

    /// Waits until the stack is idle. A process may start work that is due only every few hundred milliseconds, so two
    /// idle periods in a row are required.
    private func settle() async throws {
        let deadline = ContinuousClock.now + Self.settlingTime
        var last = try processes.read().values.map(\.microseconds).reduce(0, +)
        var time = ContinuousClock.now
        var idlePeriods = 0
        repeat {
            try await Loop.sleep(for: .milliseconds(250))
            let (use, now) = (try processes.read().values.map(\.microseconds).reduce(0, +), ContinuousClock.now)
            idlePeriods = Double(use - last) / 1e6 / (now - time).seconds < Self.idleShare ? idlePeriods + 1 : 0
            if idlePeriods == 2 { return }
            (last, time) = (use, now)
        } while .now < deadline
        printLine("  the stack was not idle after \(Int(Self.settlingTime.seconds)) s")
    }

    /// Deletes the uploaded files, which would fill gigabytes.
    private func removeUploads() throws {
        let folder = "\(stack.folder)/cloudinary/assets"
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
        }
    }

    /// Sends the mix, and reads the memory of the processes after each of the plan's numbers of requests.
    private func measureMemory(_ accounts: Accounts) async throws {
        guard let dataSet = plan.dataSets.last else { return }
        var sent = 0
        for step in plan.memorySteps {
            while sent < step {
                try await accounts.renewTokens()
                let requests = requests(of: .mixed, dataSet, accounts)
                sent += try await load.run(requests, connections: Self.usualConnections, seconds: 10).load.requests
            }
            try await settle()
            let memory = try processes.read().mapValues(\.memory)
            printLine("memory read after \(sent) requests")
            result.memory.append((sent, memory))
        }
    }

    /// Creates posts with several numbers of post workers, while each post takes 5 ms.
    private func measureWorkers(_ accounts: Accounts) async throws {
        guard !plan.workerCounts.isEmpty, let dataSet = plan.dataSets.last else { return }
        try await databases.delayPosts()
        for _ in 1...plan.rounds {
            for count in plan.workerCounts { try await measureWorkers(count, dataSet, accounts) }
        }
        try await databases.endDelay()
        try await scalePostService(1)
    }

    private func measureWorkers(_ count: Int, _ dataSet: DataSet, _ accounts: Accounts) async throws {
        try await accounts.renewTokens()
        try await scalePostService(count)
        let requests = requests(of: .createPost, dataSet, accounts)
        try await warmUp(requests, 0)
        let load = try await load.run(requests, connections: Self.usualConnections, seconds: plan.seconds).load
        try await settle()
        report("post workers: \(count)", Self.usualConnections, load.perSecond, load.latency)
        result.add(postsPerSecond: load.perSecond, workers: count)
    }

    private func scalePostService(_ count: Int) async throws {
        try await ChildProcess.run(stack.script, ["scale", "post", "\(count)"])
    }

    private func step<Value>(_ text: String, _ body: () async throws -> Value) async rethrows -> Value {
        let start = ContinuousClock.now
        let value = try await body()
        printLine("\(text): \(NumberText.fixed((ContinuousClock.now - start).seconds, 1)) s")
        return value
    }

    private func report(_ name: String, _ connections: Int, _ perSecond: Double, _ latency: Latency) {
        printLine(
            "  \(name), \(connections): \(NumberText.grouped(perSecond)) per s, "
                + "p50 \(NumberText.milliseconds(latency.p50)) ms, p99 \(NumberText.milliseconds(latency.p99)) ms")
    }
}
