import FaultProxy
import Postgres
import Reactor
import Synchronization
import TestSupport
import Testing

@Suite("Sessions in which the server refuses writes")
struct ReadOnlyTests {
    private static let setReadOnly = Statement("SELECT set_config('default_transaction_read_only', 'on', false)")
    /// Makes new sessions read-only. Appended to a URL whose last parameter is `options`.
    private static let readOnlyOption = "%20-cdefault_transaction_read_only%3Don"
    private static let pid = Statement("SELECT pg_backend_pid()")

    @Test("a connection whose session refuses writes is replaced, and writes succeed again within seconds")
    @Loop func replaced() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 2) { pool in
                _ = try await pool.query(Statement("CREATE TABLE item (id int)"))
                let insert = Statement("INSERT INTO item VALUES (1)")
                var sessions: Set<Int32> = []
                let areOpen = try await eventually {
                    sessions.insert(try await pool.query(Self.pid)[0].get(0, as: Int32.self))
                    return sessions.count == 2
                }
                try #require(areOpen)
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
            let url = database.through(proxy) + Self.readOnlyOption
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

    @Test("of several hosts, one that refuses writes is used only if none accepts them, unless the URL says otherwise")
    @Loop func severalHosts() async throws {
        try await DriverDatabase.with { database in
            let (first, second) = (try FaultProxy(to: database.port), try FaultProxy(to: database.port))
            defer { for proxy in [first, second] { proxy.stop() } }
            let url = database.through(first, second) + Self.readOnlyOption
            try await DriverDatabase.withPool(url + "&target_session_attrs=any", size: 1) { pool in
                _ = try await pool.query(Self.pid)
                #expect(second.acceptedCount == 0)
            }
            try await DriverDatabase.withPool(url + "&target_session_attrs=read-write", size: 1) { pool in
                await #expect(throws: PostgresError.self) { try await pool.query(Self.pid) }
                #expect(second.acceptedCount > 0)
            }
            let tried = (first: first.acceptedCount, second: second.acceptedCount)
            try await DriverDatabase.withPool(url, size: 1) { pool in
                _ = try await pool.query(Self.pid)
                #expect(first.acceptedCount >= tried.first + 2)
                #expect(second.acceptedCount > tried.second)
            }
        }
    }

    @Test("while all hosts refuse writes, reads succeed, and writes succeed again when the hosts accept them")
    @Loop func allHosts() async throws {
        try await DriverDatabase.with { database in
            let (first, second) = (try FaultProxy(to: database.port), try FaultProxy(to: database.port))
            defer { for proxy in [first, second] { proxy.stop() } }
            let url = Mutex(database.through(first, second) + Self.readOnlyOption)
            let create = Statement("CREATE TABLE item (id int)")
            try await DriverDatabase.withPool(url.withLock { $0 }, size: 2) { pool in
                for _ in 0..<5 {
                    _ = try await pool.query(Self.pid)
                    let error = await #expect(throws: PostgresError.self) { try await pool.query(create) }
                    #expect(error?.isOutage == true)
                }
                url.withLock { $0 = database.through(first, second) }
                let isWritten = try await eventually(within: .seconds(20)) { (try? await pool.query(create)) != nil }
                #expect(isWritten)
            }
        }
    }

    @Test("while one host is silent and the other one refuses writes, all reads succeed")
    @Loop func silentHost() async throws {
        try await DriverDatabase.with { database in
            let (silent, readOnly) = (try FaultProxy(to: database.port), try FaultProxy(to: database.port))
            defer { for proxy in [silent, readOnly] { proxy.stop() } }
            silent.stall()
            let url = database.through(silent, readOnly) + Self.readOnlyOption
            try await DriverDatabase.withPool(url, size: 2) { pool in
                // Each connection waits five seconds for the silent host first.
                _ = try await pool.query(Self.pid, deadline: .now + .seconds(20))
                let end = ContinuousClock.now + .seconds(12)
                while .now < end {
                    _ = try await pool.query(Self.pid, deadline: .now + .seconds(2))
                    try await Loop.sleep(for: .milliseconds(50))
                }
                #expect(silent.acceptedCount >= 3, "connections must have been replaced")
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
