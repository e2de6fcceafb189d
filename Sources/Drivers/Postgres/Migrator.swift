package import Logging
internal import Reactor

/// Brings a database's schema up to date, over a connection of its own.
///
/// The table `schema_migrations` has the name and the checksum of each migration applied. An advisory lock keeps several
/// processes from applying the same one; the others wait and then find nothing to do.
package struct Migrator: Sendable {
    private let url: String
    private let log: Logger

    /// Makes a migrator of a database.
    ///
    /// - Parameters:
    ///   - url: as for ``PostgresPool``; the role must be allowed to create tables.
    ///   - log: where each migration applied is told of.
    package init(url: String, log: Logger) {
        self.url = url
        self.log = log
    }

    /// Applies those migrations that have not been applied yet, in the order of their names.
    ///
    /// - Parameters:
    ///   - migrations: all that this version of the program knows. Applied ones that it does not know are left alone: a newer
    ///     version runs beside it.
    ///   - limit: how long at most, waiting for another process's migrations included.
    /// - Throws: ``PostgresError``; with ``PostgresError/Code/migration``, naming the migration, where one was changed after it
    ///   was applied, or fails. What came before a failing one stays applied; of itself nothing stays.
    @Loop package func migrate(_ migrations: [Migration], within limit: Duration = .seconds(60))
        async throws(PostgresError)
    {
        let migrations = migrations.sorted { $0.name < $1.name }
        for (first, second) in zip(migrations, migrations.dropFirst()) where first.name == second.name {
            throw PostgresError(.migration, "two migrations are called \(first.name)")
        }
        let session = try await Session(url, until: ContinuousClock.now + limit, log: log)
        // The lock ends with the session.
        defer { session.close() }
        try await lock(session, within: limit)
        let applied = try await readApplied(session)
        let known = Set(migrations.map(\.name))
        for name in applied.keys.sorted() where !known.contains(name) {
            log.notice(
                "the database has a migration that this version does not know", metadata: ["migration": "\(name)"])
        }
        for migration in migrations {
            let checksum = try await checksum(of: migration, session)
            guard let found = applied[migration.name] else {
                try await apply(migration, checksum, session)
                continue
            }
            guard found == checksum else {
                throw PostgresError(
                    .migration, "migration \(migration.name) was changed after it was applied to this database")
            }
        }
    }

    /// Takes the lock that all migrators of this database take; the number is fixed, and otherwise arbitrary.
    @Loop private func lock(_ session: Session, within limit: Duration) async throws(PostgresError) {
        let milliseconds = max(1, limit.components.seconds * 1000)
        _ = try await session.query("SELECT set_config('lock_timeout', $1, false)", "\(milliseconds)")
        _ = try await session.query("SELECT pg_advisory_lock(8387510471563502)")
    }

    @Loop private func readApplied(_ session: Session) async throws(PostgresError) -> [String: String] {
        try await session.run(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
            """)
        guard let rows = try await session.query("SELECT name, checksum FROM schema_migrations") else { return [:] }
        var applied: [String: String] = [:]
        for row in rows {
            let (name, checksum) = try row.decode((String, String).self)
            applied[name] = checksum
        }
        return applied
    }

    /// SHA-256, which the server has, so that the driver needs no cryptography of its own.
    @Loop private func checksum(of migration: Migration, _ session: Session) async throws(PostgresError) -> String {
        let rows = try await session.query("SELECT encode(sha256($1), 'hex')", Array(migration.sql.utf8))
        guard let row = rows?.first else { throw PostgresError(.protocolViolation, "a checksum had no answer") }
        return try row.get(0)
    }

    @Loop private func apply(_ migration: Migration, _ checksum: String, _ session: Session)
        async throws(PostgresError)
    {
        let start = ContinuousClock.now
        do throws(PostgresError) {
            try await session.run("BEGIN")
            try await session.run(migration.sql)
            guard session.isInTransaction else {
                throw PostgresError(.migration, "it ends the transaction that it runs in")
            }
            _ = try await session.query(
                "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", migration.name, checksum)
            try await session.run("COMMIT")
        } catch {
            // Closing the session, which follows, rolls back whatever is under way.
            throw PostgresError(.migration, "migration \(migration.name) failed", cause: error)
        }
        log.info(
            "migration applied",
            metadata: ["migration": "\(migration.name)", "took": "\(ContinuousClock.now - start)"])
    }
}
