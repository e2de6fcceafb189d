import Postgres
import Reactor
import TestSupport
import Testing

@Suite("When the server or the network fails", .serialized)
struct FaultTests {
    private static let one = Statement("SELECT 1")

    @Loop private func eventuallyAnswers(_ pool: PostgresPool) async throws {
        let answers = try await eventually(within: .seconds(20)) {
            (try? await pool.query(Self.one, deadline: .now + .seconds(2))) != nil
        }
        #expect(answers)
    }

    @Test("what was under way when the connection broke fails as passing, and the pool comes back")
    @Loop func cut() async throws {
        try await TestDatabase.with { database in
            try await database.withProxy(size: 2) { pool, proxy in
                try await eventuallyAnswers(pool)
                let pending = (0..<4).map { _ in pool.send(Statement("SELECT pg_sleep(5)")) }
                try await Loop.sleep(for: .milliseconds(50))
                proxy.cut()
                for query in pending {
                    let error = await #expect(throws: PostgresError.self) { try await query.rows() }
                    #expect(error?.code == .connectionLost)
                    #expect(error?.isTransient == true)
                }
                try await eventuallyAnswers(pool)
            }
        }
    }

    @Test("a backend that the operator terminates is replaced, whether busy or idle")
    @Loop func terminated() async throws {
        try await TestDatabase.with { database in
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

    @Test("with the server away statements fail at once, and work again when it is back")
    @Loop func refused() async throws {
        try await TestDatabase.with { database in
            try await database.withProxy(size: 2) { pool, proxy in
                try await eventuallyAnswers(pool)
                proxy.refuse()
                let isGone = try await eventually { pool.availability == .unavailable }
                #expect(isGone)
                let start = ContinuousClock.now
                let error = await #expect(throws: PostgresError.self) { try await pool.query(Self.one) }
                #expect(error?.code == .unavailable && error?.cause?.code == .connectFailed)
                await #expect(throws: PostgresError.self) { try await pool.begin() }
                #expect(ContinuousClock.now - start < .seconds(5))
                proxy.resume()
                try await eventuallyAnswers(pool)
                #expect(pool.availability == .available)
            }
        }
    }

    @Test("a server that hangs costs no more than the deadline, and its connection is replaced")
    @Loop func stalled() async throws {
        try await TestDatabase.with { database in
            try await database.withProxy(size: 1) { pool, proxy in
                try await eventuallyAnswers(pool)
                let accepted = proxy.acceptedCount
                proxy.stall()
                let start = ContinuousClock.now
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.query(Self.one, deadline: start + .milliseconds(200))
                }
                #expect(error?.code == .deadlineExceeded)
                #expect(ContinuousClock.now - start < .seconds(5))
                let isReplaced = try await eventually { proxy.acceptedCount > accepted }
                #expect(isReplaced)
                proxy.resume()
                try await eventuallyAnswers(pool)
            }
        }
    }

    @Test("one slow statement does not cost its neighbours their connection")
    @Loop func slowNeighbour() async throws {
        try await TestDatabase.with { database in
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

    @Test("a commit that the connection did not survive has an unknown outcome, and says so")
    @Loop func lostCommit() async throws {
        try await TestDatabase.with { database in
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
                try await eventuallyAnswers(pool)

                let late = try await pool.begin(deadline: .now + .seconds(1))
                _ = try await late.query(insert)
                proxy.stall()
                let lateError = await #expect(throws: PostgresError.self) { try await late.commit() }
                #expect(lateError?.code == .outcomeUnknown)
                proxy.resume()
                try await eventuallyAnswers(pool)
            }
        }
    }

    @Test("a transaction whose connection broke cannot commit, and says: try again")
    @Loop func lostTransaction() async throws {
        try await TestDatabase.with { database in
            try await database.withProxy(size: 1) { pool, proxy in
                _ = try await pool.query(Statement("CREATE TABLE kept (id int8)"))
                let transaction = try await pool.begin()
                _ = try await transaction.query(Statement("INSERT INTO kept VALUES (1)"))
                proxy.cut()
                try await Loop.sleep(for: .milliseconds(100))
                let error = await #expect(throws: PostgresError.self) { try await transaction.commit() }
                #expect(error?.isTransient == true)
                try await eventuallyAnswers(pool)
                let rows = try await pool.query(Statement("SELECT count(*) FROM kept"))
                #expect(try rows.first?.get(0, as: Int.self) == 0)
            }
        }
    }

    @Test("a wrong address, password or database is told of in the log's words, without the password")
    @Loop func wrongPassword() async throws {
        let url = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        let wrong = url.replacing(/:[^:@\/]+@/, with: ":wrong-secret@")
        let error = await #expect(throws: PostgresError.self) {
            try await Migrator(url: wrong, log: TestDatabase.log).migrate([])
        }
        #expect(error?.code == .connectFailed)
        #expect(error.map { "\($0)".contains("wrong-secret") } == false)
        for bad in ["postgres://127.0.0.1:1/none", "not a url at all", "postgres://[broken"] {
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(url: bad, log: TestDatabase.log).migrate([])
            }
            #expect(error?.code == .connectFailed)
        }
    }
}
