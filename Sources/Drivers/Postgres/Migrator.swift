package import Logging
internal import Reactor

/// One change of a database's schema. It is applied once, in a transaction of its own. Its SQL must not change after
/// that.
package struct Migration: Sendable {
    /// The name, such as `0001-start`. Migrations are applied in the alphabetical order of their names.
    package let name: String
    /// One or more SQL commands.
    package let sql: String

    /// Makes a migration from SQL text.
    package init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    /// Makes a migration from the bytes of a `.sql` file.
    package init(name: String, sql: [UInt8]) {
        self.init(name: name, sql: String(decoding: sql, as: UTF8.self))
    }
}

/// Applies migrations to a database, over a connection of its own.
///
/// The table `schema_migrations` records the name and the checksum of each applied migration. While one process
/// applies migrations, other processes wait for an advisory lock.
package struct Migrator: Sendable {
    /// The time limit for connecting.
    private static let connectLimit: Duration = .seconds(10)

    private let url: String
    private let log: Logger

    /// Makes a migrator.
    ///
    /// - Parameters:
    ///   - url: as for ``PostgresPool``. The role must be allowed to create tables.
    ///   - log: receives a line for each migration that is applied.
    package init(url: String, log: Logger) {
        self.url = url
        self.log = log
    }

    /// Applies the migrations that were not applied yet, in the order of their names.
    ///
    /// - Parameters:
    ///   - migrations: all migrations that this version of the program knows. If the database has other migrations,
    ///     they are only logged, because a newer version of the program can run at the same time.
    ///   - limit: the time limit for the whole call, including the wait for another process that migrates. It is long,
    ///     because a migration can rebuild the index of a large table. Connecting has a limit of 10 s, as for
    ///     the connections of a pool.
    /// - Throws: ``PostgresError``. The code is `migration` if a migration fails, if its SQL has changed since it was
    ///   applied, or if two migrations have the same name; the message contains the name. A failed migration is
    ///   rolled back, unless its SQL has ended the transaction. The migrations before it stay applied.
    @Loop package func migrate(_ migrations: [Migration], within limit: Duration = .seconds(3600))
        async throws(PostgresError)
    {
        let migrations = migrations.sorted { $0.name < $1.name }
        for (first, second) in zip(migrations, migrations.dropFirst()) where first.name == second.name {
            throw PostgresError(.migration, "two migrations have the name \(first.name)")
        }
        let connection = try await MigrationConnection(
            url, connectedBy: .now + Self.connectLimit, until: .now + limit, log: log)
        // The server releases the advisory lock when the connection is closed.
        defer { connection.close() }
        try await lock(connection, within: limit)
        try await createTable(connection)
        let applied = try await readApplied(connection)
        let known = Set(migrations.map(\.name))
        for name in applied.keys.sorted() where !known.contains(name) {
            log.notice(
                "the database has a migration that this version does not know", metadata: ["migration": "\(name)"])
        }
        for migration in migrations {
            let checksum = try await checksum(of: migration, connection)
            guard let found = applied[migration.name] else {
                try await apply(migration, checksum, connection)
                continue
            }
            guard found == checksum else {
                throw PostgresError(
                    .migration, "migration \(migration.name) was changed after it was applied to this database")
            }
        }
    }

    /// Takes the advisory lock that all migrators of a database share. The lock's number is arbitrary, but the same in
    /// every version of the program.
    @Loop private func lock(_ connection: MigrationConnection, within limit: Duration) async throws(PostgresError) {
        let milliseconds = max(1, limit.components.seconds * 1000)
        _ = try await connection.query("SELECT set_config('lock_timeout', $1, false)", "\(milliseconds)")
        _ = try await connection.query("SELECT pg_advisory_lock(8387510471563502)")
    }

    @Loop private func createTable(_ connection: MigrationConnection) async throws(PostgresError) {
        try await connection.run(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
            """)
    }

    /// Returns the checksums of the applied migrations by their names.
    @Loop private func readApplied(_ connection: MigrationConnection) async throws(PostgresError) -> [String: String] {
        guard let rows = try await connection.query("SELECT name, checksum FROM schema_migrations") else { return [:] }
        var applied: [String: String] = [:]
        for row in rows {
            let (name, checksum) = try row.decode((String, String).self)
            applied[name] = checksum
        }
        return applied
    }

    /// Returns the SHA-256 of a migration, computed by the server so that the driver needs no cryptography.
    @Loop private func checksum(of migration: Migration, _ connection: MigrationConnection)
        async throws(PostgresError) -> String
    {
        let rows = try await connection.query("SELECT encode(sha256($1), 'hex')", Array(migration.sql.utf8))
        guard let row = rows?.first else {
            throw PostgresError(.protocolViolation, "the server returned no checksum")
        }
        return try row.get(0)
    }

    @Loop private func apply(_ migration: Migration, _ checksum: String, _ connection: MigrationConnection)
        async throws(PostgresError)
    {
        let start = ContinuousClock.now
        do throws(PostgresError) {
            try await connection.run("BEGIN")
            try await connection.run(migration.sql)
            guard connection.isInTransaction else {
                throw PostgresError(.migration, "the migration ended its transaction")
            }
            _ = try await connection.query(
                "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", migration.name, checksum)
            try await connection.run("COMMIT")
        } catch {
            // The caller closes the connection. The server then rolls back the transaction, unless the SQL has ended
            // it.
            throw PostgresError(.migration, "migration \(migration.name) failed", cause: error)
        }
        log.info(
            "migration applied",
            metadata: ["migration": "\(migration.name)", "took": "\(ContinuousClock.now - start)"])
    }
}
