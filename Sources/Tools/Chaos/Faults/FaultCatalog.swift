import Contracts

/// All faults.
enum FaultCatalog {
    static let all = usual + cluster

    /// The faults of the brokers of a cluster.
    static let cluster = ClusterFaults.all

    /// The faults that need no cluster.
    static let usual =
        BrokerFaults.all + PostgresFaults.all + DiskFault.all + RedisFaults.all + MediaHostFaults.all
        + ProcessFaults.all + KillPointFaults.all + TopologyFaults.all + MessageFaults.all + EnvironmentFaults.all
        + CrashingHandler.all + LoadFaults.all + LongOutage.all

    /// The faults of a short run: quick ones of most kinds.
    static let short = [
        "broker-killed", "postgres-killed", "redis-killed", "worker-killed", "daemon-terminated", "queue-full",
        "media-host-cut", "killed-transaction-open", "killed-committed", "killed-event-published",
        "messages-duplicated", "queue-deleted", "messages-poisoned", "long-outage",
    ]

    static func fault(named name: String) -> Fault? { all.first { $0.name == name } }

    /// The faults as a Markdown table.
    static var table: String {
        let rows = all.map { fault -> String in
            let services = fault.affected.map(\.rawValue).sorted().joined(separator: ", ")
            let affected = fault.affected == Fault.allServices ? "all" : services.isEmpty ? "none" : services
            return "| `\(fault.name)` | \(fault.summary) | \(affected) |"
        }
        return (["| fault | what happens | services whose requests may fail |", "|---|---|---|"] + rows)
            .joined(separator: "\n")
    }
}
