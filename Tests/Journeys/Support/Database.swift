import Foundation
import Logging
import Postgres
import Reactor
import TestSupport

/// A look into a service's database, where only that can tell that something happened once.
enum Database {
    /// Runs the body with a pool on a service's database.
    @Loop static func look(_ service: String, _ body: @Loop (PostgresPool) async throws -> Void) async throws {
        let url = try TestEnvironment.value("WARREN_\(service.uppercased())_DATABASE_URL")
        var log = Logger(label: "database")
        log.logLevel = .critical
        let pool = PostgresPool(url: url, size: 1, log: log)
        async let running: Void = pool.run()
        do {
            try await body(pool)
        } catch {
            await pool.close(within: .seconds(1))
            throw error
        }
        await pool.close(within: .seconds(1))
        await running
    }

    /// The contents that begin with a marker, and how often each is there.
    @Loop static func contents(_ service: String, _ table: String, marked marker: String) async throws -> [String: Int]
    {
        var counts: [String: Int] = [:]
        try await look(service) { pool in
            let statement = Statement(
                "SELECT content, count(*)::bigint FROM \(table) WHERE starts_with(content, $1) GROUP BY content")
            for row in try await pool.query(statement, marker) {
                let (content, count) = try row.decode((String, Int).self)
                counts[content] = count
            }
        }
        return counts
    }
}
