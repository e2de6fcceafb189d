import ChaosKit
import Contracts
import FoundationEssentials
import Glibc
import LocalStack
import Reactor

/// Clients that send more than they may.
enum LoadFaults {
    static let all = [overload]

    /// About the usual rate of one account. The clients send ten times as much.
    private static let limit = "40/s burst 40"
    /// A latency below this one counts as good, whatever the usual one is.
    private static let goodLatency: Duration = .milliseconds(100)
    /// The memory by which an ingress may grow, in bytes.
    private static let memoryGrowth = 64 << 20

    private static let overload = Fault(
        name: "overload", summary: "the clients send ten times as much, and the ingresses have rate limits",
        targets: [.load, .ingress], needs: [.broker, .postgres, .redis, .mediaHost, .workers],
        allowsTooManyRequests: true
    ) { world, run in
        let post = "POST /v1/posts"
        let usual = world.http.log.latency99(of: post, from: .now - .seconds(3), to: .now)
        try await world.replacingIngresses(["WARREN_RATE_LIMIT": limit]) { ingresses in
            let memory = ingresses.map { ProcessTree.memory(of: $0.pid) }
            run.begin()
            world.clients.speed = 10
            try await Loop.sleep(for: .seconds(60))
            world.clients.speed = 1
            run.end()
            for (ingress, before) in zip(ingresses, memory) {
                let growth = ProcessTree.memory(of: ingress.pid) - before
                run.require(growth < memoryGrowth, "an ingress grew by \(growth / 1_048_576) MiB")
            }
        }
        let refused = world.http.log.calls.count { $0.status == 429 && $0.began > run.began }
        run.require(refused > 0, "no request got a 429")
        let slow = world.http.log.latency99(of: post, from: run.began, to: run.ended ?? .now)
        run.require(
            slow < max(usual * 2, goodLatency), "p99 of accepted POSTs was \(slow), and without the load \(usual)")
    }
}
