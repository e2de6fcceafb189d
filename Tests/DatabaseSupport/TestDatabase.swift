internal import Foundation
internal import Logging
package import Postgres
package import Reactor
internal import TestSupport

/// A place of one test's own on the real server.
@Loop package enum TestDatabase {
    /// Runs a body with the address of an empty schema that is dropped at its end.
    package static func withSchema(_ body: @Loop (String) async throws -> Void) async throws {
        try await with("SCHEMA", dropping: "CASCADE", body) { base, name in
            base + (base.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(name)"
        }
    }

    /// Runs a body with the address of an empty database that is dropped at its end: for what is kept by database, as
    /// extensions are.
    package static func withDatabase(_ body: @Loop (String) async throws -> Void) async throws {
        // Without FORCE, which is refused while autovacuum is there: PostgreSQL ends that itself, and waits for the
        // others.
        try await with("DATABASE", dropping: "", body) { base, name in
            guard let slash = slash(in: base) else { return base }
            return base[...slash] + name + base[(base[slash...].firstIndex(of: "?") ?? base.endIndex)...]
        }
    }

    /// Runs a pool for as long as the body takes.
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

    /// The same address with the port of a proxy.
    package static func through(_ port: Int, _ url: String) -> String {
        guard let at = url.firstIndex(of: "@"), let slash = slash(in: url) else { return url }
        return url[...at] + "127.0.0.1:\(port)" + url[slash...]
    }

    /// The port of an address.
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
        // What the test itself has failed with says more.
        try ended.get()
        try dropped.get()
    }

    private static func slash(in url: String) -> String.Index? {
        url.firstIndex(of: "@").flatMap { url[$0...].firstIndex(of: "/") }
    }
}
