import ChaosKit
import Contracts
import TestData

/// All faults.
enum FaultCatalog {
    static let all = quick + LongOutage.all + ClusterFaults.all

    /// The faults that need neither a cluster nor ten minutes.
    private static let quick =
        BrokerFaults.all + PostgresFaults.all + DiskFault.all + RedisFaults.all + MediaHostFaults.all
        + ProcessFaults.all + KillPointFaults.all + TopologyFaults.all + MessageFaults.all + EnvironmentFaults.all
        + CrashingHandler.all + LoadFaults.all

    /// The faults of a short run: quick ones of most kinds.
    private static let short: Set = [
        "broker-killed", "postgres-killed", "redis-killed", "worker-killed", "daemon-terminated", "queue-full",
        "media-host-cut", "killed-transaction-open", "killed-committed", "killed-event-published",
        "messages-duplicated", "queue-deleted", "messages-poisoned",
    ]

    /// Returns the faults of a run. It has one of the long outages, which the seed chooses.
    static func faults(isShort: Bool, seed: UInt64) -> [Fault] {
        var generator = SeededGenerator(seed: seed)
        let outage = LongOutage.all.randomElement(using: &generator)
        return quick.filter { !isShort || short.contains($0.name) } + [outage].compactMap { $0 }
    }

    static func fault(named name: String) -> Fault? { all.first { $0.name == name } }

    /// The faults as a Markdown table.
    static var table: String {
        let rows = all.map { fault -> String in
            let allowance = fault.allowance
            let affected = allowance.affected == .all ? "all" : text(allowance.affected)
            return "| `\(fault.name)` | \(fault.summary) | \(affected) | \(text(allowance.delayed)) |"
        }
        let header = ["| fault | what happens | may get 503 or 504 | commands may get 202 |", "|---|---|---|---|"]
        return (header + rows).joined(separator: "\n")
    }

    private static func text(_ services: Set<ServiceName>) -> String {
        services.map(\.rawValue).sorted().joined(separator: ", ")
    }
}
