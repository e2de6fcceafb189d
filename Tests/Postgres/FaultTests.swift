import FaultProxy
import Postgres
import Reactor
import TestSupport
import Testing

@Suite("Server and network failures", .serialized)
struct FaultTests {
    private static let one = Statement("SELECT 1")

    /// Expects that the database answers within 20 s.
    @Loop private func expectAnswer(_ pool: PostgresPool) async throws {
        let answers = try await eventually(within: .seconds(20)) {
            (try? await pool.query(Self.one, deadline: .now + .seconds(2))) != nil
        }
        #expect(answers)
    }

    /// Waits until the pool has so many open connections.
    @Loop private func waitForConnections(_ count: Int, _ pool: PostgresPool) async throws {
        var leases: [Transaction] = []
        for _ in 0..<count { leases.append(try await pool.begin()) }
        for lease in leases { await lease.rollback() }
    }

    @Test("statements in flight on a broken connection fail with a transient error, and the pool reconnects")
    @Loop func cut() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 2) { pool, proxy in
                try await expectAnswer(pool)
                let pending = (0..<4).map { _ in pool.send(Statement("SELECT pg_sleep(5)")) }
                try await Loop.sleep(for: .milliseconds(50))
                proxy.cut()
                for query in pending {
                    let error = await #expect(throws: PostgresError.self) { try await query.rows() }
                    #expect(error?.code == .connectionLost)
                    #expect(error?.isTransient == true)
                }
                try await expectAnswer(pool)
            }
        }
    }

    @Test("a connection that the operator terminates is replaced, whether it is busy or idle")
    @Loop func terminated() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 1) { pool in
                let pid = Statement("SELECT pg_backend_pid()")
                for isBusy in [true, false] {
                    let victim = try await pool.query(pid).first?.get(0, as: Int32.self) ?? 0
                    let busy = isBusy ? pool.send(Statement("SELECT pg_sleep(20)")) : nil
                    try await Loop.sleep(for: .milliseconds(20))
                    try await database.withPool(size: 1) { other in
                        _ = try await other.query(Statement("SELECT pg_terminate_backend($1)"), victim)
                    }
                    if let busy {
                        let error = await #expect(throws: PostgresError.self) { try await busy.rows() }
                        #expect(error?.isTransient == true)
                    }
                    let isReplaced = try await eventually {
                        let rows = try? await pool.query(pid)
                        return try rows?.first.map { try $0.get(0, as: Int32.self) != victim } ?? false
                    }
                    #expect(isReplaced)
                }
            }
        }
    }

    @Test("statements fail at once while the database server is down, and succeed when it is up again")
    @Loop func refused() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 2) { pool, proxy in
                try await expectAnswer(pool)
                proxy.refuse()
                let isGone = try await eventually { pool.availability == .unavailable }
                #expect(isGone)
                let start = ContinuousClock.now
                let error = await #expect(throws: PostgresError.self) { try await pool.query(Self.one) }
                #expect(error?.code == .unavailable && (error?.cause as? PostgresError)?.code == .connectFailed)
                await #expect(throws: PostgresError.self) { try await pool.begin() }
                #expect(ContinuousClock.now - start < .seconds(5))
                proxy.resume()
                try await expectAnswer(pool)
                #expect(pool.availability == .available)
            }
        }
    }

    @Test("a statement on a server that hangs fails at its deadline, and the connection is replaced")
    @Loop func stalled() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 1) { pool, proxy in
                let pid = Statement("SELECT pg_backend_pid()")
                let first = try await pool.query(pid).first?.get(0, as: Int32.self)
                let accepted = proxy.acceptedCount
                proxy.stall()
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.query(Self.one, deadline: .now + .milliseconds(200))
                }
                #expect(error?.code == .deadlineExceeded)
                let isConnecting = try await eventually { proxy.acceptedCount > accepted }
                #expect(isConnecting)
                proxy.resume()
                #expect(try await pool.query(pid).first?.get(0, as: Int32.self) != first)
            }
        }
    }

    @Test("a server that answers nothing is noticed before the statement's deadline, and statements then fail at once")
    @Loop func silent() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 2) { pool, proxy in
                try await waitForConnections(2, pool)
                let idle = try await pool.begin()
                proxy.stall()
                // The statement's deadline is 30 s.
                let error = await #expect(throws: PostgresError.self) { try await pool.query(Self.one) }
                #expect(error?.code == .connectionLost && error?.isOutage == true)
                #expect(pool.availability == .unavailable)
                let refused = await #expect(throws: PostgresError.self) { try await idle.query(Self.one) }
                #expect(refused?.code == .connectionLost)
                let unavailable = await #expect(throws: PostgresError.self) {
                    try await pool.query(Self.one, deadline: .now + .seconds(5))
                }
                #expect(unavailable?.code == .unavailable)
                proxy.resume()
                try await expectAnswer(pool)
                #expect(pool.availability == .available)
            }
        }
    }

    @Test("a connection that is being replaced does not hide that the server answers nothing")
    @Loop func silentReplacement() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 2) { pool, proxy in
                try await waitForConnections(2, pool)
                proxy.stall()
                // The connection of this statement is closed before the pool notices the silence of the other one.
                let overdue = pool.send(Self.one, deadline: .now + .milliseconds(100))
                let waiting = pool.send(Self.one)
                let error = await #expect(throws: PostgresError.self) { try await overdue.rows() }
                #expect(error?.code == .deadlineExceeded)
                // The statement's deadline is 30 s.
                let second = await #expect(throws: PostgresError.self) { try await waiting.rows() }
                #expect(second?.code == .connectionLost)
                #expect(pool.availability == .unavailable)
                proxy.resume()
                try await expectAnswer(pool)
            }
        }
    }

    @Test("a server that answers again while it is asked keeps its connections")
    @Loop func returning() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 1) { pool, proxy in
                try await expectAnswer(pool)
                let accepted = proxy.acceptedCount
                proxy.stall()
                let waiting = pool.send(Self.one)
                let isAsked = try await eventually { proxy.acceptedCount > accepted }
                #expect(isAsked)
                proxy.resume()
                _ = try await waiting.rows()
            }
        }
    }

    @Test("a statement that takes long on a server that works is not interrupted")
    @Loop func slowServer() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 1) { pool, proxy in
                try await expectAnswer(pool)
                let accepted = proxy.acceptedCount
                _ = try await pool.query(Statement("SELECT pg_sleep(4)"))
                #expect(proxy.acceptedCount > accepted, "the pool must have asked the server over a new connection")
            }
        }
    }

    @Test("a statement past its deadline does not fail other statements on its connection")
    @Loop func slowNeighbour() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: 1) { pool in
                let slow = pool.send(Statement("SELECT pg_sleep(0.4)"), deadline: .now + .milliseconds(100))
                let neighbour = pool.send(Self.one)
                let error = await #expect(throws: PostgresError.self) { try await slow.rows() }
                #expect(error?.code == .deadlineExceeded)
                _ = try await neighbour.rows()
                _ = try await pool.query(Self.one)
            }
        }
    }

    @Test("a commit throws .outcomeUnknown if its connection breaks or its deadline passes")
    @Loop func lostCommit() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 1) { pool, proxy in
                _ = try await pool.query(Statement("CREATE TABLE kept (id int8)"))
                let insert = Statement("INSERT INTO kept VALUES (1)")
                let cut = try await pool.begin()
                _ = try await cut.query(insert)
                proxy.stall()
                Loop.schedule(after: .milliseconds(50)) { proxy.cut() }
                let error = await #expect(throws: PostgresError.self) { try await cut.commit() }
                #expect(error?.code == .outcomeUnknown)
                #expect(error?.isTransient == true)
                proxy.resume()
                try await expectAnswer(pool)

                let late = try await pool.begin(deadline: .now + .seconds(1))
                _ = try await late.query(insert)
                proxy.stall()
                let lateError = await #expect(throws: PostgresError.self) { try await late.commit() }
                #expect(lateError?.code == .outcomeUnknown)
                proxy.resume()
                try await expectAnswer(pool)
            }
        }
    }

    @Test("the commit of a transaction whose connection broke throws a transient error and commits nothing")
    @Loop func lostTransaction() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 1) { pool, proxy in
                _ = try await pool.query(Statement("CREATE TABLE kept (id int8)"))
                let transaction = try await pool.begin()
                _ = try await transaction.query(Statement("INSERT INTO kept VALUES (1)"))
                proxy.cut()
                try await Loop.sleep(for: .milliseconds(100))
                let error = await #expect(throws: PostgresError.self) { try await transaction.commit() }
                #expect(error?.isTransient == true)
                try await expectAnswer(pool)
                let rows = try await pool.query(Statement("SELECT count(*) FROM kept"))
                #expect(try rows.first?.get(0, as: Int.self) == 0)
            }
        }
    }

    @Test("connecting with a wrong address or password throws .connectFailed without the password in the error")
    @Loop func wrongPassword() async throws {
        let url = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        let wrong = url.replacing(/:[^:@\/]+@/, with: ":wrong-secret@")
        let error = await #expect(throws: PostgresError.self) {
            try await Migrator(url: wrong, log: DriverDatabase.log).migrate([])
        }
        #expect(error?.code == .connectFailed)
        #expect(error.map { "\($0)".contains("wrong-secret") } == false)
        for bad in ["postgres://127.0.0.1:1/none", "not a url at all", "postgres://[broken"] {
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(url: bad, log: DriverDatabase.log).migrate([])
            }
            #expect(error?.code == .connectFailed)
        }
    }
}
