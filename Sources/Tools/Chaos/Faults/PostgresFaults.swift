import ChaosKit
import Contracts
import FaultProxy
import Glibc
import LocalStack
import Reactor

/// Faults of PostgreSQL.
enum PostgresFaults {
    static let all = [killed, restarted, away, stopped, silent, readOnly, noConnections, changedPassword]

    /// If the database cannot carry out commands, they wait.
    private static let slowPost = Allowance.Evidence.slowness(.seconds(1), of: "POST /v1/posts")
    /// After this time, every worker has noticed that PostgreSQL does not answer.
    private static let silence: Duration = .seconds(5)

    private static let killed = Fault(
        name: "postgres-killed", summary: "kill -9 of PostgreSQL, which is started again some seconds later",
        targets: [.postgres], allowance: Allowance(affected: .all, detection: .seconds(2), evidence: slowPost)
    ) { testbed, run in
        try await run.perform(
            cause: { try await testbed.kill("postgres-1") }, undo: { try await testbed.start("postgres") },
            { try await testbed.sleep(seconds: 5...8) })
    }

    private static let restarted = Fault(
        name: "postgres-restarted", summary: "PostgreSQL is stopped and started", targets: [.postgres],
        allowance: Allowance(affected: .all, detection: .seconds(2), evidence: slowPost)
    ) { testbed, run in
        try await run.perform(
            cause: { try await testbed.kill("postgres-1", with: SIGINT) },
            undo: { try await testbed.start("postgres") }, { try await Loop.sleep(for: .seconds(3)) })
    }

    /// The outage is longer than the first three delays of the retry ladder together. If Warren counted it as a failure
    /// of the commands, they would wait for 5 min afterwards.
    private static let away = Fault(
        name: "postgres-away", summary: "PostgreSQL accepts no connections for 70 s", targets: [.postgres],
        allowance: Allowance(affected: .all, recovery: .seconds(35), detection: .seconds(2), evidence: slowPost)
    ) { testbed, run in
        try await run.perform(refusing: [testbed.proxies.postgres], for: .seconds(70))
    }

    private static let stopped = Fault(
        name: "postgres-stopped", summary: "all processes of PostgreSQL hang for 30 s (SIGSTOP)",
        targets: [.postgres], allowance: Allowance(affected: .all, detection: silence, evidence: slowPost)
    ) { testbed, run in
        let postmaster = try testbed.stack.pid("postgres-1")
        let processes = [postmaster] + ProcessFiles.children(of: postmaster)
        try await run.perform(
            cause: { for pid in processes { kill(pid, SIGSTOP) } },
            undo: { for pid in processes { kill(pid, SIGCONT) } },
            { try await Loop.sleep(for: .seconds(30)) })
    }

    private static let silent = Fault(
        name: "postgres-silent",
        summary: "the connections to PostgreSQL stay open, but carry nothing for 30 s (half-open TCP)",
        targets: [.postgres], allowance: Allowance(affected: .all, detection: silence, evidence: slowPost)
    ) { testbed, run in
        try await run.perform(stalling: [testbed.proxies.postgres], seconds: 30)
    }

    private static let readOnly = Fault(
        name: "postgres-read-only", summary: "PostgreSQL refuses writes, as a standby does", targets: [.postgres],
        allowance: Allowance(affected: .all, evidence: slowPost)
    ) { testbed, run in
        try await run.perform(
            cause: {
                try await testbed.psql("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
            },
            undo: {
                try await testbed.psql(
                    "SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only",
                    "SELECT pg_reload_conf()")
            },
            { try await testbed.sleep(seconds: 8...15) })
    }

    private static let noConnections = Fault(
        name: "postgres-no-connections", summary: "PostgreSQL accepts no connection of the post service",
        targets: [.postgres], allowance: Allowance(affected: [.post], evidence: slowPost)
    ) { testbed, run in
        try await run.perform(
            cause: { try await testbed.psql("ALTER ROLE post CONNECTION LIMIT 0", Self.endSessions) },
            undo: { try await testbed.psql("ALTER ROLE post CONNECTION LIMIT -1") },
            { try await testbed.sleep(seconds: 8...15) })
    }

    private static let changedPassword = Fault(
        name: "postgres-password", summary: "the password of the post service changes, and some seconds later its file",
        targets: [.postgres], allowance: Allowance(affected: [.post], evidence: slowPost)
    ) { testbed, run in
        let old = try testbed.stack.secret("postgres-post")
        let new = String(old.reversed())
        try await run.perform(
            cause: { try await testbed.psql("ALTER ROLE post PASSWORD '\(new)'", Self.endSessions) },
            undo: {
                try testbed.changeSecret("post-database.url") { $0.replacing(old, with: new) }
                try testbed.changeSecret("postgres-post") { _ in new }
            },
            { try await testbed.sleep(seconds: 3...8) })
    }

    private static let endSessions =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'post'"
}
