internal import Foundation
internal import Logging
package import Postgres
package import Reactor
internal import TestSupport

/// Makes schemas and databases for single tests, on the PostgreSQL server of the tests.
@Loop package enum TestDatabase {
    /// Runs a body with the URL of an empty schema. The schema is dropped afterwards.
    package static func withSchema(_ body: @Loop (String) async throws -> Void) async throws {
        try await with("SCHEMA", dropping: "CASCADE", body) { base, name in
            base + (base.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(name)"
        }
    }

    /// Runs a body with the URL of an empty database. The database is dropped afterwards. For tests of objects that
    /// belong to a database and not to a schema, such as extensions.
    package static func withDatabase(_ body: @Loop (String) async throws -> Void) async throws {
        // The database is dropped without FORCE, because FORCE fails while autovacuum is connected. Without FORCE,
        // PostgreSQL ends autovacuum and waits for other connections.
        try await with("DATABASE", dropping: "", body) { base, name in
            guard let slash = slash(in: base) else { return base }
            return base[...slash] + name + base[(base[slash...].firstIndex(of: "?") ?? base.endIndex)...]
        }
    }

    /// Runs a body with a pool. The pool is closed afterwards.
    package static func withPool(
        _ url: String, size: Int, _ body: @Loop (PostgresPool) async throws -> Void
    ) async throws {
        let pool = PostgresPool(url: url, size: size, log: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            let ended = await outcome { try await body(pool) }
            await pool.close(within: .seconds(5))
            try await group.waitForAll()
            try ended.get()
        }
    }

    /// Returns a URL in which the host and the port are those of a proxy on 127.0.0.1.
    package static func through(_ port: Int, _ url: String) -> String { through([port], url) }

    /// Returns a URL in which the hosts and the ports are those of proxies on 127.0.0.1.
    package static func through(_ ports: [Int], _ url: String) -> String {
        guard let at = url.firstIndex(of: "@"), let slash = slash(in: url) else { return url }
        return url[...at] + ports.map { "127.0.0.1:\($0)" }.joined(separator: ",") + url[slash...]
    }

    /// Returns the port in a URL, by default 5432.
    package static func port(of url: String) -> Int {
        guard let at = url.firstIndex(of: "@"), let slash = slash(in: url),
            let colon = url[at..<slash].lastIndex(of: ":")
        else { return 5432 }
        return Int(url[url.index(after: colon)..<slash]) ?? 5432
    }

    private static func with(
        _ kind: String, dropping: String, _ body: @Loop (String) async throws -> Void,
        _ address: (_ base: String, _ name: String) -> String
    ) async throws {
        let base = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        let name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
        try await withPool(base, size: 1) { _ = try await $0.query(Statement("CREATE \(kind) \(name)")) }
        let ended = await outcome { try await body(address(base, name)) }
        let dropped = await outcome {
            try await withPool(base, size: 1) {
                _ = try await $0.query(Statement("DROP \(kind) \(name) \(dropping)"))
            }
        }
        // If the test and the cleanup have both failed, the error of the test is thrown.
        try ended.get()
        try dropped.get()
    }

    private static func slash(in url: String) -> String.Index? {
        url.firstIndex(of: "@").flatMap { url[$0...].firstIndex(of: "/") }
    }
}
