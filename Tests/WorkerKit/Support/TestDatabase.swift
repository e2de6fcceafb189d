import FoundationEssentials
import Logging
import Postgres
import Reactor
import TestSupport

/// What is logged is looked at by no test, save those of the log itself.
let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// A database of one test's own on the real server.
@Loop enum TestDatabase {
    /// Runs a body with the address of a database that is dropped at its end.
    static func with(_ body: @Loop (String) async throws -> Void) async throws {
        let base = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        let name = "kit_" + String(UInt64.random(in: .min ... .max), radix: 36)
        try await withPool(base, size: 1) { _ = try await $0.query(Statement("CREATE DATABASE \(name)")) }
        do {
            try await body(url(base, database: name))
        } catch {
            try? await drop(name, base)
            throw error
        }
        try await drop(name, base)
    }

    /// Runs a pool for as long as the body takes.
    static func withPool(_ url: String, size: Int, _ body: @Loop (PostgresPool) async throws -> Void) async throws {
        let pool = PostgresPool(url: url, size: size, log: quiet)
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

    /// The same address with the port of a proxy.
    static func through(_ port: Int, _ url: String) -> String {
        guard let at = url.firstIndex(of: "@"), let slash = url[at...].firstIndex(of: "/") else { return url }
        return url[..<url.index(after: at)] + "127.0.0.1:\(port)" + url[slash...]
    }

    static func port(of url: String) -> Int {
        guard let at = url.firstIndex(of: "@"), let slash = url[at...].firstIndex(of: "/"),
            let colon = url[at..<slash].lastIndex(of: ":")
        else { return 5432 }
        return Int(url[url.index(after: colon)..<slash]) ?? 5432
    }

    private static func url(_ base: String, database: String) -> String {
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
