import Foundation
import Logging
import Postgres
import Reactor
import TestSupport

/// Reads a service's database to check what no reply shows, such as how many rows a command inserted.
enum ServiceDatabase {
    /// Runs a body with a pool of one connection to the database of a service.
    @Loop static func withPool(
        of service: String, _ body: @Loop (PostgresPool) async throws -> Void
    ) async throws {
        let url = try TestEnvironment.value("WARREN_\(service.uppercased())_DATABASE_URL")
        var log = Logger(label: "database")
        log.logLevel = .critical
        let pool = PostgresPool(url: url, size: 1, log: log)
        async let running: Void = pool.run()
        let result = await outcome { try await body(pool) }
        await pool.close(within: .seconds(1))
        await running
        try result.get()
    }

    /// Counts the rows with the same content, for each content that begins with `prefix`.
    ///
    /// - Parameters:
    ///   - service: the service whose database is read.
    ///   - table: a table with a column `content`.
    /// - Returns: the number of rows by content.
    @Loop static func contentCounts(
        _ service: String, _ table: String, startingWith prefix: String
    ) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        try await withPool(of: service) { pool in
            let statement = Statement(
                "SELECT content, count(*)::bigint FROM \(table) WHERE starts_with(content, $1) GROUP BY content")
            for row in try await pool.query(statement, prefix) {
                let (content, count) = try row.decode((String, Int).self)
                counts[content] = count
            }
        }
        return counts
    }

    /// Returns the number that a query returns in its only row.
    @Loop static func count(_ service: String, _ query: String) async throws -> Int {
        var count = 0
        try await withPool(of: service) { pool in
            count = try await pool.query(Statement(query)).first?.get(0, as: Int.self) ?? 0
        }
        return count
    }
}
