import FoundationEssentials
import Postgres
import Reactor
import Testing

@Suite("Autocommit statements", .serialized)
struct QueryTests {
    private static let create = Statement(
        "CREATE TABLE things (id int8 PRIMARY KEY, name text CONSTRAINT things_name_key UNIQUE)")
    private static let insert = Statement("INSERT INTO things (id, name) VALUES ($1, $2)")
    private static let select = Statement("SELECT name FROM things WHERE id = $1")
    private static let count = Statement("SELECT count(*) FROM things")

    @Test("statements write and read rows and return the number of affected rows")
    @Loop func writeAndRead() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                _ = try await pool.query(Self.create)
                let inserted = try await pool.query(Self.insert, 1, "one")
                #expect(inserted.affected == 1)
                let rows = try await pool.query(Self.select, 1)
                #expect(try rows.first?.get(0, as: String.self) == "one")
                let updated = try await pool.query(Statement("UPDATE things SET name = 'x' WHERE id > 5"))
                #expect(updated.affected == 0)
                #expect(pool.availability == .available)
            }
        }
    }

    @Test("of the statements that are sent in one turn, only those that violate a constraint fail")
    @Loop func independentErrors() async throws {
        try await DriverDatabase.with { database in
            for size in [1, 3] {
                try await database.withPool(size: size) { pool in
                    _ = try await pool.query(Statement("DROP TABLE IF EXISTS things"))
                    _ = try await pool.query(Self.create)
                    let pending = (0..<50).map { pool.send(Self.insert, $0 / 2, "n\($0)") }
                    var failures = 0
                    for query in pending {
                        do throws(PostgresError) {
                            _ = try await query.rows()
                        } catch {
                            #expect(error.sqlState == "23505")
                            failures += 1
                        }
                    }
                    #expect(failures == 25)
                    let rows = try await pool.query(Self.count)
                    #expect(try rows.first?.get(0, as: Int.self) == 25)
                }
            }
        }
    }

    @Test("the error of a violated constraint has the SQLSTATE and the constraint's name, and shows no values")
    @Loop func constraint() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                _ = try await pool.query(Self.create)
                _ = try await pool.query(Self.insert, 1, "same")
                let error = await #expect(throws: PostgresError.self) { try await pool.query(Self.insert, 2, "same") }
                #expect(error?.code == .sqlState("23505"))
                #expect(error?.constraint == "things_name_key")
                #expect(error?.table == "things")
                #expect(error?.isUniqueViolation(of: "things_name_key") == true)
                #expect(error?.isTransient == false)
                #expect(error.map { "\($0)".contains("same") } == false)
            }
        }
    }

    @Test("an autocommit statement fails if a deferred constraint is violated at its commit")
    @Loop func deferredConstraint() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 1) { pool in
                _ = try await pool.query(
                    Statement(
                        "CREATE TABLE late (id int8, CONSTRAINT late_key UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)"))
                let insert = Statement("INSERT INTO late VALUES ($1)")
                let pending = [1, 1, 2].map { pool.send(insert, $0) }
                _ = try await pending[0].rows()
                let error = await #expect(throws: PostgresError.self) { try await pending[1].rows() }
                #expect(error?.constraint == "late_key")
                _ = try await pending[2].rows()
            }
        }
    }

    @Test("a statement that cannot be prepared fails with the server's error, and its next use prepares it again")
    @Loop func preparedLater() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 1) { pool in
                let pending = (0..<3).map { _ in pool.send(Self.count) }
                for query in pending {
                    let error = await #expect(throws: PostgresError.self) { try await query.rows() }
                    #expect(error?.sqlState == "42P01")
                }
                _ = try await pool.query(Self.create)
                _ = try await pool.query(Self.count)
                _ = try await pool.query(Statement("SELECT * FROM things"))
                _ = try await pool.query(Statement("ALTER TABLE things ADD COLUMN more text"))
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.query(Statement("SELECT * FROM things"))
                }
                #expect(error?.isTransient == true)
                _ = try await pool.query(Statement("SELECT * FROM things"))
            }
        }
    }

    @Test("one statement can be used with parameters of different types")
    @Loop func differentTypes() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 1) { pool in
                let echo = Statement("SELECT $1::text")
                for _ in 0..<2 {
                    let text = try await pool.query(echo, "7")
                    #expect(try text.first?.get(0, as: String.self) == "7")
                    let number = try await pool.query(echo, 7)
                    #expect(try number.first?.get(0, as: String.self) == "7")
                }
            }
        }
    }

    @Test("a parameter and a result of several megabytes arrive completely")
    @Loop func large() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 2) { pool in
                let bytes = [UInt8](repeating: 7, count: 6 << 20)
                let small = pool.send(Statement("SELECT 1"))
                let rows = try await pool.query(Statement("SELECT $1, $1"), bytes)
                #expect(try rows.first?.get(1, as: [UInt8].self) == bytes)
                _ = try await small.rows()
            }
        }
    }

    @Test("the rows of a statement can be awaited by several tasks, and again later")
    @Loop func awaitedTwice() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                let query = pool.send(Statement("SELECT 5"))
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<3 {
                        group.addTask { try await query.rows().first?.get(0, as: Int.self) ?? 0 }
                    }
                    for try await value in group { #expect(value == 5) }
                }
                #expect(try await query.rows().count == 1)
            }
        }
    }

    @Test("a cancelled task stops waiting for its statement at once, and the connection stays usable")
    @Loop func cancellation() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 1) { pool in
                let sleeping = pool.send(Statement("SELECT pg_sleep(0.5)"))
                let start = ContinuousClock.now
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        let error = await #expect(throws: PostgresError.self) { try await sleeping.rows() }
                        #expect(error?.code == .cancelled)
                    }
                    group.cancelAll()
                }
                #expect(ContinuousClock.now - start < .milliseconds(400))
                _ = try await pool.query(Statement("SELECT 1"))
            }
        }
    }

    @Test("ten thousand statements leak no results")
    @Loop func noLeak() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 2) { pool in
                let statement = Statement("SELECT repeat('x', 10000)")
                for _ in 0..<100 { _ = try await pool.query(statement) }
                let before = try residentKilobytes()
                for _ in 0..<200 {
                    let pending = (0..<50).map { _ in pool.send(statement) }
                    for query in pending { _ = try await query.rows() }
                }
                // A leak of all results would be 100 MB.
                #expect(try residentKilobytes() - before < 30_000)
            }
        }
    }

    private func residentKilobytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }
}
