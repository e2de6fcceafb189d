import ChaosKit
import Contracts
import FoundationEssentials
import Glibc
import LocalStack
import Reactor

/// Clients that send more than they may.
enum LoadFaults {
    static let all = [overload]

    /// The rate limit of an account in requests per second, about three times its rate at ``usualSpeed``. As many
    /// requests may come at once.
    private static let limit = 20
    /// Some requests, such as logins, are not limited by account.
    private static let limitTolerance = 1.1
    private static let factor = 10
    /// The clients work at a quarter of their speed, because one machine cannot send and refuse ten times their full
    /// load.
    private static let usualSpeed = 0.25
    private static let seconds = 60
    /// Of the requests that the flood should send, it must get responses to so many. Each waits for the last response.
    private static let minimumShare = 0.85
    /// A latency below this one counts as good, whatever the usual one is.
    private static let goodLatency: Duration = .milliseconds(100)
    /// The memory by which a process may grow, in bytes.
    private static let memoryGrowth = 64 << 20
    private static let post = "POST /v1/posts"

    private static let overload = Fault(
        name: "overload",
        summary: "clients slow down, and then send ten times as much for a minute; the ingresses have rate limits",
        targets: [.load, .ingress], needs: [.broker, .postgres, .redis, .mediaHost, .workers],
        allowance: Allowance(allowsTooManyRequests: true)
    ) { testbed, run in
        testbed.clients.speed = usualSpeed
        defer { testbed.clients.speed = 1 }
        let before = ContinuousClock.now
        try await Loop.sleep(for: .seconds(5))
        let usual = testbed.http.log.latency99(of: post, from: before, to: .now)
        let rate = testbed.http.log.calls.count { $0.began >= before } / 5
        guard rate > 0 else { return run.require(false, "the clients sent hardly any requests before the flood") }
        try await testbed.replacingIngresses(["WARREN_RATE_LIMIT": "\(limit)/s burst \(limit)"], run) { ingresses in
            let workers = try Stack.workers.map { try testbed.stack.pid("\($0)-1") }
            let pids = ingresses.map(\.pid) + workers
            let memory = MemoryGauge(pids)
            let flood = Flood(testbed, clients: Clients.count * (factor - 1) / ingresses.count)
            run.begin()
            let notes = try await memory.measuring {
                try await flood.run(
                    at: testbed.http.addresses, perSecond: rate * (factor - 1), seconds: seconds)
            }
            run.end()
            testbed.clients.addPosts(of: notes)
            run.statuses = notes.countsByStatus
            let wanted = Int(Double(rate * (factor - 1) * seconds) * minimumShare)
            run.require(
                notes.responses >= wanted, "the flood got only \(notes.responses) responses instead of \(wanted)")
            let served =
                notes.countsByStatus.filter { $0.key < 300 }.values.reduce(0, +)
                + testbed.http.log.calls.count { $0.began > run.began && $0.isSuccess }
            let allowed = Double(testbed.clients.accounts.count * limit * (seconds + 1)) * limitTolerance
            run.require(Double(served) <= allowed, "\(served) requests were served instead of at most \(Int(allowed))")
            let others = notes.countsByStatus.filter { ![200, 201, 429, 503].contains($0.key) }
            run.require(others.isEmpty, "the flood got other statuses than 200, 201, 429 and 503: \(others)")
            run.require(
                notes.refusalsWithoutRetryAfter == 0,
                "\(notes.refusalsWithoutRetryAfter) requests of the flood got a 429 or 503 without Retry-After")
            for (pid, growth) in memory.growth {
                run.require(growth < memoryGrowth, "the process \(pid) grew by \(growth / 1_048_576) MiB")
            }
        }
        let calls = testbed.http.log.calls.filter { $0.began > run.began }
        run.require(calls.contains { $0.status == 429 }, "no request got a 429")
        let accepted = calls.count { $0.call == post && $0.isServed }
        run.require(accepted > 0, "no POST was accepted")
        // The flood itself is not measured: its load generator waits for the processor, too.
        let slow = testbed.http.log.latency99(of: post, from: run.began, to: run.ended ?? .now)
        let text = "p99 of accepted POSTs was \(milliseconds(slow)), and without the load \(milliseconds(usual))"
        printLine("    \(text)")
        run.require(slow < max(usual * 2, goodLatency), text)
    }

    private static func milliseconds(_ time: Duration) -> String { "\(Int(time / .milliseconds(1))) ms" }
}
