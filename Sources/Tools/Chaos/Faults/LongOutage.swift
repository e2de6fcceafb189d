import ChaosKit
import Contracts
import FaultProxy
import Reactor

/// Outages that last longer than the retries of a command, which take about 6 minutes. Warren would give up commands if
/// it counted an outage as their failure.
enum LongOutage {
    static let all = [broker, postgres, redis, mediaHost, failingMediaHost]

    private static let length = "for 10 minutes (`--outage-seconds`)"

    private static let broker = Fault(
        name: "long-outage-broker", summary: "the broker is away \(length)", targets: [.broker],
        allowance: Allowance(
            affected: .all, detection: .seconds(2), evidence: .status([503], of: "POST /v1/posts"))
    ) { testbed, run in
        try await run.perform(refusing: testbed.proxies.brokers, for: run.longOutage)
    }

    private static let postgres = Fault(
        name: "long-outage-postgres", summary: "PostgreSQL is away \(length)", targets: [.postgres],
        allowance: Allowance(
            affected: .all, recovery: .seconds(35), detection: .seconds(2),
            evidence: .slowness(.seconds(1), of: "POST /v1/posts"))
    ) { testbed, run in
        try await run.perform(refusing: [testbed.proxies.postgres], for: run.longOutage)
    }

    private static let redis = Fault(
        name: "long-outage-redis", summary: "both Redis servers are away \(length)", targets: [.redis],
        allowance: Allowance(maximumLatency: .seconds(1))
    ) { testbed, run in
        try await run.perform(refusing: [testbed.proxies.redis, testbed.proxies.limits], for: run.longOutage)
    }

    private static let mediaHost = Fault(
        name: "long-outage-media-host", summary: "Cloudinary is away \(length)", targets: [.mediaHost],
        allowance: MediaHostFaults.allowance
    ) { testbed, run in
        try await run.perform(refusing: [testbed.proxies.cloudinary], for: run.longOutage)
    }

    private static let failingMediaHost = Fault(
        name: "long-outage-media-host-503", summary: "Cloudinary answers all requests with 503 \(length)",
        targets: [.mediaHost], allowance: MediaHostFaults.allowance
    ) { testbed, run in
        try await MediaHostFaults.fail(testbed, run, ["status": 503]) { try await Loop.sleep(for: run.longOutage) }
    }
}
