import FaultProxy
import Postgres
import Reactor
import TestSupport
import Testing

@Suite("Migrations", .serialized)
struct MigratorTests {
    private let first = Migration(
        name: "0001-start", sql: "CREATE TABLE a (id int8);\nCREATE TABLE b (id int8); -- and a comment\n")
    private let second = Migration(name: "0002-more", sql: Array("ALTER TABLE a ADD COLUMN text text".utf8))

    @Loop private func expectNames(_ names: [String], _ pool: PostgresPool) async throws {
        let rows = try await pool.query(Statement("SELECT name FROM schema_migrations ORDER BY name"))
        let found = try rows.map { row throws in try row.get(0, as: String.self) }
        #expect(found == names)
    }

    @Test("migrations are applied once, in the order of their names, with all their commands")
    @Loop func freshAndRepeated() async throws {
        try await DriverDatabase.with { database in
            let migrator = Migrator(url: database.url, log: DriverDatabase.log)
            for _ in 0..<2 { try await migrator.migrate([second, first]) }
            try await database.withPool(size: 1) { pool in
                try await expectNames(["0001-start", "0002-more"], pool)
                _ = try await pool.query(Statement("SELECT a.text, b.id FROM a, b"))
            }
        }
    }

    @Test("four migrators that run at the same time all succeed, and each migration is applied once")
    @Loop func concurrent() async throws {
        try await DriverDatabase.with { database in
            let migrations = [first, second]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await Migrator(url: database.url, log: DriverDatabase.log).migrate(migrations)
                    }
                }
                try await group.waitForAll()
            }
            try await database.withPool(size: 1) { pool in
                try await expectNames(["0001-start", "0002-more"], pool)
            }
        }
    }

    @Test("if an applied migration was changed, migrating throws .migration and applies no later migration")
    @Loop func changed() async throws {
        try await DriverDatabase.with { database in
            let migrator = Migrator(url: database.url, log: DriverDatabase.log)
            try await migrator.migrate([first])
            let changed = Migration(name: first.name, sql: first.sql + " ")
            let error = await #expect(throws: PostgresError.self) { try await migrator.migrate([changed, second]) }
            #expect(error?.code == .migration)
            #expect(error?.message.contains("0001-start") == true)
            #expect(error?.isTransient == false)
            try await database.withPool(size: 1) { pool in try await expectNames(["0001-start"], pool) }
        }
    }

    @Test("a failed migration leaves no changes and keeps earlier migrations, and can be applied when it is corrected")
    @Loop func failing() async throws {
        try await DriverDatabase.with { database in
            let migrator = Migrator(url: database.url, log: DriverDatabase.log)
            let broken = Migration(name: "0002-broken", sql: "CREATE TABLE c (id int8); CREATE TABLE a (id int8)")
            let error = await #expect(throws: PostgresError.self) { try await migrator.migrate([first, broken]) }
            #expect(error?.code == .migration)
            #expect(error?.message.contains("0002-broken") == true)
            #expect(error?.sqlState == "42P07")
            try await database.withPool(size: 1) { pool in
                try await expectNames(["0001-start"], pool)
                await #expect(throws: PostgresError.self) { try await pool.query(Statement("SELECT * FROM c")) }
            }
            try await migrator.migrate([first, Migration(name: "0002-broken", sql: "CREATE TABLE c (id int8)")])
        }
    }

    @Test("a migration that ends its own transaction fails with .migration and is not recorded as applied")
    @Loop func endsTransaction() async throws {
        try await DriverDatabase.with { database in
            let migrator = Migrator(url: database.url, log: DriverDatabase.log)
            let ending = Migration(name: "0001-ending", sql: "CREATE TABLE a (id int8); COMMIT;")
            let error = await #expect(throws: PostgresError.self) { try await migrator.migrate([ending]) }
            #expect(error?.code == .migration)
            try await database.withPool(size: 1) { pool in try await expectNames([], pool) }
        }
    }

    @Test("migrating succeeds if the database has migrations that this version of the program does not know")
    @Loop func newer() async throws {
        try await DriverDatabase.with { database in
            let migrator = Migrator(url: database.url, log: DriverDatabase.log)
            try await migrator.migrate([first, second])
            try await migrator.migrate([first])
        }
    }

    @Test("migrating with two migrations of the same name throws .migration")
    @Loop func double() async throws {
        try await DriverDatabase.with { database in
            let migrator = Migrator(url: database.url, log: DriverDatabase.log)
            let error = await #expect(throws: PostgresError.self) { try await migrator.migrate([first, first]) }
            #expect(error?.code == .migration)
        }
    }

    @Test("migrating a database that does not answer fails with a transient error at the time limit")
    @Loop func boundedWait() async throws {
        try await DriverDatabase.with { database in
            let proxy = try FaultProxy(to: database.port)
            defer { proxy.stop() }
            proxy.stall()
            let start = ContinuousClock.now
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(url: database.through(proxy), log: DriverDatabase.log)
                    .migrate([first], within: .milliseconds(300))
            }
            #expect(error?.isTransient == true)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }
}
