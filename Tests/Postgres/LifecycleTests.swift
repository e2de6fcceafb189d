import FaultProxy
import Foundation
import Postgres
import Reactor
import TestSupport
import Testing

@Suite("PostgreSQL pool life cycle", .serialized)
struct LifecycleTests {
    @Test("a pool that starts and stops repeatedly leaks no descriptor and no connection")
    @Loop func startStop() async throws {
        try await DriverDatabase.with { database in
            try await database.withProxy(size: 1) { observer, proxy in
                let before = try descriptors(proxy.port)
                let open = Statement("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1")
                for _ in 0..<100 {
                    let url = database.through(proxy) + "&application_name=\(database.schema)"
                    try await DriverDatabase.withPool(url, size: 3) { pool in
                        _ = try await pool.query(Statement("SELECT 1"))
                    }
                    // The server closes connections after a delay, and the number of its connections is limited.
                    let areGone = try await eventually(within: .seconds(20)) {
                        try await observer.query(open, database.schema).first?.get(0, as: Int.self) == 0
                    }
                    try #require(areGone)
                }
                #expect(proxy.acceptedCount > 100)
                // A leak would leave 200 to 300 descriptors open. Fewer are accepted, because tests that run at the
                // same time also open descriptors.
                #expect(try descriptors(proxy.port) - before < 200)
            }
        }
    }

    @Test("closing a pool waits for statements in flight and refuses new statements with .unavailable")
    @Loop func closeWaits() async throws {
        try await DriverDatabase.with { database in
            var pending: PendingQuery?
            try await database.withPool(size: 1) { pool in
                pending = pool.send(Statement("SELECT pg_sleep(0.2)"))
                await pool.close(within: .seconds(5))
                #expect(pool.availability == .closed)
                let error = await #expect(throws: PostgresError.self) { try await pool.query(Statement("SELECT 1")) }
                #expect(error?.code == .unavailable)
            }
            _ = try await pending?.rows()
        }
    }

    @Test("closing a pool waits no longer than its time limit, and then fails the statements in flight")
    @Loop func closeIsBounded() async throws {
        try await DriverDatabase.with { database in
            var pending: PendingQuery?
            let start = ContinuousClock.now
            try await database.withPool(size: 1) { pool in
                let transaction = try await pool.begin()
                pending = transaction.send(Statement("SELECT pg_sleep(20)"))
                await pool.close(within: .milliseconds(100))
            }
            let query = try #require(pending)
            let error = await #expect(throws: PostgresError.self) { try await query.rows() }
            #expect(error?.code == .connectionLost)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test("a pool whose task is cancelled ends at once, even if it cannot connect")
    @Loop func cancelled() async throws {
        let url = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        for address in [url, "postgres://127.0.0.1:1/none"] {
            let pool = PostgresPool(url: address, size: 2, log: DriverDatabase.log)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await pool.run() }
                try? await Loop.sleep(for: .milliseconds(100))
                group.cancelAll()
            }
            #expect(pool.availability == .closed)
            await #expect(throws: PostgresError.self) { try await pool.query(Statement("SELECT 1")) }
        }
    }

    @Test("a statement that is sent before the pool runs waits, and is carried out when the pool runs")
    @Loop func sentBefore() async throws {
        let url = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        let pool = PostgresPool(url: url, size: 1, log: DriverDatabase.log)
        let early = pool.send(Statement("SELECT 3"))
        #expect(pool.availability == .connecting)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            let rows = try await early.rows()
            #expect(rows.count == 1)
            await pool.close(within: .seconds(1))
        }
    }

    @Test("pool and migration connections have the timeouts after which the server drops a lost client")
    @Loop func serverSettings() async throws {
        let settings = """
            SELECT current_setting('tcp_keepalives_idle') AS idle, current_setting('tcp_keepalives_interval') AS pause,
                current_setting('tcp_keepalives_count') AS count, current_setting('tcp_user_timeout') AS unsent,
                current_setting('idle_in_transaction_session_timeout') AS transaction
            """
        try await DriverDatabase.with { database in
            let migration = Migration(name: "0001-settings", sql: "CREATE TABLE settings AS \(settings)")
            try await Migrator(url: database.url, log: DriverDatabase.log).migrate([migration])
            try await database.withPool(size: 1) { pool in
                for statement in [settings, "TABLE settings"] {
                    let row = try #require(try await pool.query(Statement(statement)).first)
                    let values = try row.decode((String, String, String, String, String).self)
                    #expect(values == ("30", "10", "3", "60000", "1min"))
                }
            }
        }
    }

    /// Returns the number of open descriptors. Sockets are counted only if they are connected to the given port,
    /// because tests that run at the same time open thousands of sockets.
    private func descriptors(_ port: Int) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
            guard target?.hasPrefix("socket:") == true else { return target != nil }
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = withUnsafeMutablePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(Int32(name) ?? -1, $0, &length) }
            }
            return code == 0 && peer.sin_family == sa_family_t(AF_INET) && Int(UInt16(bigEndian: peer.sin_port)) == port
        }
    }
}
