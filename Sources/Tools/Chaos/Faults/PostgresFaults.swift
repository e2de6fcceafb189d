import Contracts
import FaultProxy
import Glibc
import LocalStack
import Reactor

/// Faults of PostgreSQL.
enum PostgresFaults {
    static let all = [killed, restarted, stopped, silent, readOnly, noConnections, changedPassword]

    private static let killed = Fault(
        name: "postgres-killed", summary: "kill -9 of PostgreSQL, which is started again some seconds later",
        targets: [.postgres], affected: Fault.allServices, detection: .seconds(2)
    ) { world, run in
        try await run.perform(
            cause: { try await world.kill("postgres-1") }, undo: { try await world.startServers() },
            { try await world.sleep(seconds: 2...8) })
    }

    private static let restarted = Fault(
        name: "postgres-restarted", summary: "PostgreSQL is stopped and started", targets: [.postgres],
        affected: Fault.allServices
    ) { world, run in
        try await run.perform(
            cause: { try await world.stack.kill("postgres-1", with: SIGINT) },
            undo: { try await world.startServers() }, {})
    }

    private static let stopped = Fault(
        name: "postgres-stopped", summary: "all processes of PostgreSQL hang for 30 s (SIGSTOP)",
        targets: [.postgres], affected: Fault.allServices
    ) { world, run in
        let postmaster = try world.stack.pid("postgres-1")
        let processes = [postmaster] + ProcessTree.children(of: postmaster)
        try await run.perform(
            cause: { for pid in processes { kill(pid, SIGSTOP) } },
            undo: { for pid in processes { kill(pid, SIGCONT) } },
            { try await Loop.sleep(for: .seconds(30)) })
    }

    private static let silent = Fault(
        name: "postgres-silent",
        summary: "the connections to PostgreSQL stay open, but carry nothing for 30 s (half-open TCP)",
        targets: [.postgres], affected: Fault.allServices
    ) { world, run in
        try await run.perform(stalling: [world.proxies.postgres], seconds: 30)
    }

    private static let readOnly = Fault(
        name: "postgres-read-only", summary: "PostgreSQL refuses writes, as a standby does", targets: [.postgres],
        affected: Fault.allServices
    ) { world, run in
        try await run.perform(
            cause: {
                try await world.psql("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
            },
            undo: {
                try await world.psql(
                    "SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only",
                    "SELECT pg_reload_conf()")
            },
            { try await world.sleep(seconds: 8...15) })
        world.requireDelays("POST /v1/posts", run)
    }

    private static let noConnections = Fault(
        name: "postgres-no-connections", summary: "PostgreSQL accepts no connection of the post service",
        targets: [.postgres], affected: [.post]
    ) { world, run in
        try await run.perform(
            cause: { try await world.psql("ALTER ROLE post CONNECTION LIMIT 0", Self.endSessions) },
            undo: { try await world.psql("ALTER ROLE post CONNECTION LIMIT -1") },
            { try await world.sleep(seconds: 8...15) })
        world.requireDelays("POST /v1/posts", run)
    }

    private static let changedPassword = Fault(
        name: "postgres-password", summary: "the password of the post service changes, and some seconds later its file",
        targets: [.postgres], affected: [.post]
    ) { world, run in
        let old = try world.stack.secret("postgres-post")
        let new = String(old.reversed())
        try await run.perform(
            cause: { try await world.psql("ALTER ROLE post PASSWORD '\(new)'", Self.endSessions) },
            undo: {
                try world.changeSecret("post-database.url") { $0.replacing(old, with: new) }
                try world.changeSecret("postgres-post") { _ in new }
            },
            { try await world.sleep(seconds: 3...8) })
    }

    private static let endSessions =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'post'"
}
