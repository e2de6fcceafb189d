import Reactor
import TestSupport
import Testing

@testable import Postgres

@Suite("Transactions", .serialized)
struct TransactionTests {
    private static let create = Statement("CREATE TABLE notes (id int8 CONSTRAINT notes_pkey PRIMARY KEY, text text)")
    private static let insert = Statement("INSERT INTO notes (id, text) VALUES ($1, $2)")
    private static let count = Statement("SELECT count(*) FROM notes")

    @Loop private func with(size: Int = 4, _ body: @Loop (PostgresPool) async throws -> Void) async throws {
        try await DriverDatabase.with { database in
            try await database.withPool(size: size) { pool in
                _ = try await pool.query(Self.create)
                try await body(pool)
            }
        }
    }

    @Loop private func expectNotes(_ count: Int, _ pool: PostgresPool) async throws {
        let rows = try await pool.query(Self.count)
        #expect(try rows.first?.get(0, as: Int.self) == count)
    }

    @Test("other connections see the changes of a transaction only after its commit, and never after a rollback")
    @Loop func visibility() async throws {
        try await with { pool in
            let transaction = try await pool.begin()
            _ = try await transaction.query(Self.insert, 1, "a")
            try await expectNotes(0, pool)
            try await transaction.commit()
            try await expectNotes(1, pool)
            let other = try await pool.begin()
            _ = try await other.query(Self.insert, 2, "b")
            await other.rollback()
            try await expectNotes(1, pool)
        }
    }

    @Test("begin, three inserts and commit are one pipeline segment and take one round trip")
    @Loop func oneRoundTrip() async throws {
        try await with(size: 1) { pool in
            let connection = try #require(pool.connections[0])
            for round in 0..<2 {
                let before = connection.pipeline.segments
                let transaction = try await pool.begin()
                let pending = (0..<3).map { transaction.send(Self.insert, round * 10 + $0, "x") }
                try await transaction.commit()
                #expect(connection.pipeline.segments == before + 1)
                for query in pending {
                    let rows = try await query.rows()
                    #expect(rows.affected == 1)
                }
            }
            try await expectNotes(6, pool)
        }
    }

    @Test("the first failed statement aborts later statements and the commit, and is the cause in their errors")
    @Loop func failure() async throws {
        try await with(size: 1) { pool in
            _ = try await pool.query(Self.insert, 1, "there")
            let transaction = try await pool.begin()
            let good = transaction.send(Self.insert, 2, "b")
            let bad = transaction.send(Self.insert, 1, "again")
            let after = transaction.send(Self.insert, 3, "c")
            let error = await #expect(throws: PostgresError.self) { try await transaction.commit() }
            #expect(error?.code == .aborted)
            #expect(error?.sqlState == "23505")
            #expect(error?.constraint == "notes_pkey")
            #expect(error?.isTransient == false)
            _ = try await good.rows()
            let own = await #expect(throws: PostgresError.self) { try await bad.rows() }
            #expect(own?.code == .sqlState("23505"))
            let aborted = await #expect(throws: PostgresError.self) { try await after.rows() }
            #expect(aborted?.code == .aborted)
            #expect((aborted?.cause as? PostgresError)?.code == .sqlState("23505"))
            try await expectNotes(1, pool)
        }
    }

    @Test("a statement that is sent after the turn of a failed statement has that failure as its cause")
    @Loop func failureOfAnEarlierTurn() async throws {
        try await with(size: 1) { pool in
            _ = try await pool.query(Self.insert, 1, "there")
            for isLaterStatementSent in [true, false] {
                let transaction = try await pool.begin()
                // Delays the failure until the later statements are sent.
                transaction.send(Statement("SELECT pg_sleep(0.2)"))
                transaction.send(Self.insert, 1, "again")
                try await Loop.sleep(for: .milliseconds(50))
                let later = isLaterStatementSent ? transaction.send(Self.insert, 2, "b") : nil
                let error = await #expect(throws: PostgresError.self) { try await transaction.commit() }
                #expect(error?.code == .aborted && error?.isUniqueViolation(of: "notes_pkey") == true)
                #expect(error?.isTransient == false)
                guard let later else { continue }
                let aborted = await #expect(throws: PostgresError.self) { try await later.rows() }
                #expect(aborted?.code == .aborted && aborted?.constraint == "notes_pkey")
            }
            try await expectNotes(1, pool)
        }
    }

    @Test("after a failed statement was awaited, later statements and the commit fail, and the connection stays usable")
    @Loop func failureAwaited() async throws {
        try await with(size: 1) { pool in
            let transaction = try await pool.begin()
            await #expect(throws: PostgresError.self) { try await transaction.query(Statement("SELECT 1/0")) }
            let later = await #expect(throws: PostgresError.self) { try await transaction.query(Self.insert, 1, "a") }
            #expect(later?.code == .aborted)
            #expect(later?.sqlState == "22012")
            await #expect(throws: PostgresError.self) { try await transaction.commit() }
            let ended = await #expect(throws: PostgresError.self) { try await transaction.query(Self.count) }
            #expect(ended?.code == .ended)
            try await expectNotes(0, pool)
            _ = try await pool.query(Self.insert, 1, "a")
        }
    }

    @Test("a transaction with a statement that cannot be sent does not commit")
    @Loop func unsendable() async throws {
        try await with(size: 1) { pool in
            let transaction = try await pool.begin()
            transaction.send(Self.insert, 1, "a")
            transaction.send(Self.insert, 2, "a\u{0}")
            let error = await #expect(throws: PostgresError.self) { try await transaction.commit() }
            #expect((error?.cause as? PostgresError)?.code == .invalidParameter)
            try await expectNotes(0, pool)
        }
    }

    @Test("a commit fails if a deferred constraint is violated")
    @Loop func deferred() async throws {
        try await with(size: 1) { pool in
            _ = try await pool.query(
                Statement("ALTER TABLE notes ADD CONSTRAINT text_key UNIQUE (text) DEFERRABLE INITIALLY DEFERRED"))
            let transaction = try await pool.begin()
            transaction.send(Self.insert, 1, "same")
            transaction.send(Self.insert, 2, "same")
            let error = await #expect(throws: PostgresError.self) { try await transaction.commit() }
            #expect(error?.constraint == "text_key")
            try await expectNotes(0, pool)
        }
    }

    @Test("a transaction that is released before it has ended is rolled back, and its connection is used again")
    @Loop func dropped() async throws {
        try await with(size: 1) { pool in
            do {
                let transaction = try await pool.begin()
                _ = try await transaction.query(Self.insert, 1, "a")
            }
            try await expectNotes(0, pool)
            do {
                let unused = try await pool.begin()
                _ = unused
            }
            try await expectNotes(0, pool)
        }
    }

    @Test("a deadlock is a transient error")
    @Loop func deadlock() async throws {
        try await with(size: 2) { pool in
            _ = try await pool.query(Self.insert, 1, "a")
            _ = try await pool.query(Self.insert, 2, "b")
            let update = Statement("UPDATE notes SET text = 'c' WHERE id = $1")
            let (first, second) = (try await pool.begin(), try await pool.begin())
            _ = try await first.query(update, 1)
            _ = try await second.query(update, 2)
            let crossing = [first.send(update, 2), second.send(update, 1)]
            var failures: [PostgresError] = []
            for query in crossing {
                do throws(PostgresError) {
                    _ = try await query.rows()
                } catch {
                    failures.append(error)
                    // Releases the locks of the failed transaction, so that the other transaction continues.
                    first.close()
                    second.close()
                }
            }
            #expect(failures.first?.sqlState == "40P01")
            #expect(failures.first?.isTransient == true)
        }
    }

    @Loop private final class Order {
        var numbers: [Int] = []

        func record(_ number: Int, _ pool: PostgresPool) async throws {
            let transaction = try await pool.begin()
            numbers.append(number)
            await transaction.rollback()
        }
    }

    @Test("waiting transactions get connections in the order of their calls, or fail at their deadline")
    @Loop func exhaustion() async throws {
        try await with(size: 1) { pool in
            let holder = try await pool.begin()
            let order = Order()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<3 {
                    group.addTask { try await order.record(number, pool) }
                    // Makes the tasks call `begin` in this order.
                    try await Loop.sleep(for: .milliseconds(5))
                }
                let start = ContinuousClock.now
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.begin(deadline: start + .milliseconds(50))
                }
                #expect(error?.code == .deadlineExceeded)
                #expect(order.numbers.isEmpty)
                await holder.rollback()
                try await group.waitForAll()
            }
            #expect(order.numbers == [0, 1, 2])
        }
    }

    @Test("a task that is cancelled while it waits for a connection throws .cancelled and gets no connection")
    @Loop func cancelledWaiter() async throws {
        try await with(size: 1) { pool in
            let holder = try await pool.begin()
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    let error = await #expect(throws: PostgresError.self) { try await pool.begin() }
                    #expect(error?.code == .cancelled)
                }
                try? await Loop.sleep(for: .milliseconds(20))
                group.cancelAll()
            }
            try await holder.commit()
            try await expectNotes(0, pool)
        }
    }

    @Test("a connection that is returned while a waiting task is being cancelled goes to the next waiting task")
    @Loop func returnedDuringCancellation() async throws {
        try await with(size: 1) { pool in
            let holder = try await pool.begin()
            let cancelled = Task { @Loop in try await pool.begin() }
            #expect(try await eventually { pool.leaseWaiters.count == 1 })
            let next = Task { @Loop in try await pool.begin(deadline: .now + .seconds(5)) }
            #expect(try await eventually { pool.leaseWaiters.count == 2 })
            cancelled.cancel()
            // Runs after the cancellation has ended the wait and before the cancelled task continues.
            Loop.perform { holder.close() }
            try await next.value.rollback()
            let error = await #expect(throws: PostgresError.self) { try await cancelled.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test("a statement waits while transactions lease all connections, and is sent afterwards")
    @Loop func statementWaits() async throws {
        try await with(size: 1) { pool in
            let holder = try await pool.begin()
            let waiting = pool.send(Self.insert, 7, "late")
            let impatient = pool.send(Self.count, deadline: .now + .milliseconds(30))
            let error = await #expect(throws: PostgresError.self) { try await impatient.rows() }
            #expect(error?.code == .deadlineExceeded)
            try await holder.commit()
            let rows = try await waiting.rows()
            #expect(rows.affected == 1)
        }
    }

    @Test("a transaction is rolled back at its deadline, and its connection is replaced")
    @Loop func deadline() async throws {
        try await with(size: 1) { pool in
            let transaction = try await pool.begin(deadline: .now + .milliseconds(200))
            transaction.send(Self.insert, 1, "a")
            let sleeping = transaction.send(Statement("SELECT pg_sleep(20)"))
            let error = await #expect(throws: PostgresError.self) { try await sleeping.rows() }
            #expect(error?.code == .deadlineExceeded)
            await #expect(throws: PostgresError.self) { try await transaction.commit() }
            try await expectNotes(0, pool)
            let idle = try await pool.begin(deadline: .now + .milliseconds(20))
            try await Loop.sleep(for: .milliseconds(60))
            let late = await #expect(throws: PostgresError.self) { try await idle.query(Self.count) }
            #expect((late?.cause as? PostgresError)?.code == .deadlineExceeded)
            try await expectNotes(0, pool)
        }
    }

    @Test("a commit in a cancelled task still waits for its outcome")
    @Loop func cancelledCommit() async throws {
        try await with(size: 1) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await insertCancelled(pool) }
                try await group.waitForAll()
            }
            try await expectNotes(1, pool)
        }
    }

    @Loop private func insertCancelled(_ pool: PostgresPool) async throws {
        let transaction = try await pool.begin()
        transaction.send(Self.insert, 1, "a")
        withUnsafeCurrentTask { $0?.cancel() }
        try await transaction.commit()
    }
}
