package import Contracts
internal import Logging
package import Postgres
internal import Reactor
internal import TestSupport
package import WorkerKit

extension TestDatabase {
    /// Runs a body with a pool on a schema that has a service's tables. The schema is dropped afterwards.
    package static func withSchema(
        of service: WorkerDefinition, connections: Int,
        _ body: @Loop (_ url: String, PostgresPool) async throws -> Void
    ) async throws {
        try await withSchema { try await withPool(on: $0, of: service, connections, body) }
    }

    /// Runs a body with a pool on a database that has a service's tables. The database is dropped afterwards.
    package static func withDatabase(
        of service: WorkerDefinition, connections: Int,
        _ body: @Loop (_ url: String, PostgresPool) async throws -> Void
    ) async throws {
        try await withDatabase { try await withPool(on: $0, of: service, connections, body) }
    }

    private static func withPool(
        on url: String, of service: WorkerDefinition, _ connections: Int,
        _ body: @Loop (String, PostgresPool) async throws -> Void
    ) async throws {
        try await Migrator(url: url, log: .quiet).migrate(KitMigrations.all + service.migrations)
        try await withPool(url, size: connections) { try await body(url, $0) }
    }
}

extension PostgresPool {
    /// Runs a query that returns one integer, and returns the integer.
    package func count(_ sql: String) async throws -> Int {
        try await query(Statement(sql))[0].get(0)
    }

    /// Returns the events of a type that are in the outbox, the oldest first.
    package func outboxEvents(_ type: String) async throws -> [JSON] {
        let statement = Statement("SELECT body FROM outbox WHERE type = $1 ORDER BY number")
        return try await query(statement, type).map { row in
            try JSON.parse(try row.get(0, as: [UInt8].self), limits: .trusted)
        }
    }
}
