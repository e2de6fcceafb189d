import FoundationEssentials
import Postgres
import Reactor
import TestSupport

/// A database of one test's own on the real server.
@Loop enum SearchDatabase {
    /// Runs a body with the address of an empty database that is dropped at its end.
    static func with(_ body: @Loop (String) async throws -> Void) async throws {
        let base = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        let name = "scratch_search_" + String(UInt64.random(in: .min ... .max), radix: 36)
        try await withPool(base, size: 1) { _ = try await $0.query(Statement("CREATE DATABASE \(name)")) }
        do {
            try await body(address(base, database: name))
        } catch {
            try? await drop(name, base)
            throw error
        }
        try await drop(name, base)
    }

    /// Runs a pool for as long as the body takes.
    static func withPool(_ url: String, size: Int, _ body: @Loop (PostgresPool) async throws -> Void) async throws {
        let pool = PostgresPool(url: url, size: size, log: SearchBench.log)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await pool.run() }
            do {
                try await body(pool)
            } catch {
                await pool.close(within: .seconds(5))
                throw error
            }
            await pool.close(within: .seconds(5))
        }
    }

    private static func address(_ base: String, database: String) -> String {
        guard let at = base.firstIndex(of: "@"), let slash = base[at...].firstIndex(of: "/") else { return base }
        let end = base[slash...].firstIndex(of: "?") ?? base.endIndex
        return base[...slash] + database + base[end...]
    }

    private static func drop(_ name: String, _ base: String) async throws {
        try await withPool(base, size: 1) {
            _ = try await $0.query(Statement("DROP DATABASE \(name) WITH (FORCE)"))
        }
    }
}
