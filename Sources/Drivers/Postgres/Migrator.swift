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
    }
}
