import FaultProxy
import FoundationEssentials
import Logging
import Postgres
import Reactor
import TestSupport

/// A schema for one test of the driver, on the PostgreSQL server of the tests.
struct DriverDatabase {
    /// The URL of the database with the schema in its search path.
    let url: String
    let schema: String

    /// A log that shows only critical messages.
    static let log: Logger = {
        var log = Logger(label: "test")
        log.logLevel = .critical
        return log
    }()

    /// Runs a test with a new schema, which is dropped afterwards.
    @Loop static func with(_ body: @Loop (DriverDatabase) async throws -> Void) async throws {
        let base = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        let schema = "t" + UUID().uuidString.lowercased().replacing("-", with: "")
        try await withPool(base, size: 1) { _ = try await $0.query(Statement("CREATE SCHEMA \(schema)")) }
        let database = DriverDatabase(url: Self.url(base, with: schema), schema: schema)
        do {
            try await body(database)
        } catch {
            try? await drop(schema, base)
            throw error
        }
        try await drop(schema, base)
    }

    private static func url(_ url: String, with schema: String) -> String {
        url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)"
    }

    @Loop private static func drop(_ schema: String, _ base: String) async throws {
        try await withPool(base, size: 1) { _ = try await $0.query(Statement("DROP SCHEMA \(schema) CASCADE")) }
    }

    /// Runs a pool while the body runs. Then closes the pool.
    ///
    /// - Parameter url: evaluated for each connection.
    @Loop static func withPool(
        _ url: @autoclosure @escaping @Sendable () throws -> String, size: Int,
        _ body: @Loop (PostgresPool) async throws -> Void
    ) async throws {
        let pool = PostgresPool(url: try url(), size: size, log: log)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            do {
                try await body(pool)
            } catch {
                await pool.close(within: .seconds(5))
                throw error
            }
            await pool.close(within: .seconds(5))
            try await group.waitForAll()
        }
    }

    /// Runs a pool on this schema while the body runs. Then closes the pool.
    @Loop func withPool(size: Int = 4, _ body: @Loop (PostgresPool) async throws -> Void) async throws {
        try await Self.withPool(url, size: size, body)
    }

    /// Runs a pool that reaches this schema through a proxy, while the body runs.
    @Loop func withProxy(size: Int, _ body: @Loop (PostgresPool, FaultProxy) async throws -> Void) async throws {
        let proxy = try FaultProxy(to: port)
        defer { proxy.stop() }
        try await Self.withPool(through(proxy), size: size) { pool in
            try await body(pool, proxy)
        }
    }

    /// Returns the URL with the port of a proxy.
    func through(_ proxy: FaultProxy) -> String {
        url.replacing(":\(port)/", with: ":\(proxy.port)/")
    }

    /// Returns the URL with two hosts, which are proxies.
    func through(_ first: FaultProxy, _ second: FaultProxy) -> String {
        url.replacing("127.0.0.1:\(port)/", with: "127.0.0.1:\(first.port),127.0.0.1:\(second.port)/")
    }

    var port: Int {
        let parts = url.split(separator: "@").last?.split(separator: "/").first?.split(separator: ":")
        return parts?.last.flatMap { Int($0) } ?? 5432
    }
}
