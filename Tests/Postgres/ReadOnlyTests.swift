import Postgres
import Reactor
import TestSupport
import Testing

@Suite("Sessions in which the server refuses writes")
struct ReadOnlyTests {
    private static let setReadOnly = Statement("SELECT set_config('default_transaction_read_only', 'on', false)")
    private static let pid = Statement("SELECT pg_backend_pid()")

    @Test("a connection whose session refuses writes is replaced, and writes succeed again within seconds")
    @Loop func replaced() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 2) { pool in
                _ = try await pool.query(Statement("CREATE TABLE item (id int)"))
                let insert = Statement("INSERT INTO item VALUES (1)")
                for _ in 0..<4 { _ = try await pool.query(Self.setReadOnly) }
                let error = await #expect(throws: PostgresError.self) { try await pool.query(insert) }
                #expect(error?.sqlState == "25006")
                #expect(error?.isOutage == true && error?.isTransient == true)
                let start = ContinuousClock.now
                var failures = 0
                var successes = 0
                while successes < 10, .now - start < .seconds(20) {
                    do {
                        _ = try await pool.query(insert)
                        successes += 1
                    } catch {
                        failures += 1
                        successes = 0
                        try await Loop.sleep(for: .milliseconds(50))
                    }
                }
                #expect(successes == 10)
                #expect(.now - start < .seconds(10))
            }
        }
    }

    @Test("while the server refuses writes, reads succeed and connections are replaced at a limited rate")
    @Loop func reads() async throws {
        try await DriverDatabase.with { database in
            let proxy = try FaultProxy(to: database.port)
            defer { proxy.stop() }
            let url = database.through(proxy) + "%20-cdefault_transaction_read_only%3Don"
            try await DriverDatabase.withPool(url, size: 2) { pool in
                let start = ContinuousClock.now
                while .now - start < .seconds(4) {
                    _ = try await pool.query(Self.pid)
                    let error = await #expect(throws: PostgresError.self) {
                        try await pool.query(Statement("CREATE TABLE item (id int)"))
                    }
                    #expect(error?.isOutage == true)
                    try await Loop.sleep(for: .milliseconds(20))
                }
                #expect((4...30).contains(proxy.acceptedCount), "\(proxy.acceptedCount)")
            }
        }
    }

    @Test("a transaction that has begun on a read-only connection can end before the connection is replaced")
    @Loop func transaction() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 1) { pool in
                let transaction = try await pool.begin()
                let first = try await transaction.query(Self.pid)[0].get(0, as: Int32.self)
                _ = try await transaction.query(Self.setReadOnly)
                _ = try await transaction.query(Statement("SAVEPOINT start"))
                try await Loop.sleep(for: .seconds(1))
                try await transaction.commit()
                await #expect(throws: PostgresError.self) {
                    try await pool.query(Statement("CREATE TABLE item (id int)"))
                }
                let isReplaced = try await eventually {
                    (try? await pool.query(Self.pid)[0].get(0, as: Int32.self)).map { $0 != first } ?? false
                }
                #expect(isReplaced)
            }
        }
    }
}
