import AMQP
import BrokerSupport
import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("The check at a worker's start", .timeLimit(.minutes(3))) struct StartupCheckTests {}
}

extension Workers.StartupCheckTests {
    @Loop private func check(
        _ url: String, _ broker: BrokerAddress, exchanges: [String] = [], queues: [String] = [],
        migrations: [Migration] = KitMigrations.all
    ) -> StartupCheck {
        StartupCheck(
            migrations: migrations, databaseURL: url, broker: broker, name: "test", exchanges: exchanges,
            queues: queues, log: quiet)
    }

    private func words(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("makes the tables and passes where all is there, a second time too")
    @Loop func passes() async throws {
        let queues = try TestQueues()
        try await TestDatabase.withDatabase { url in
            let queue = queues.prefix + ".there"
            try await queues.provisioner.perform([
                .exchange(Exchange.replies, type: "direct"), .queue(queue),
            ])
            for _ in 0..<2 {
                try await check(url, queues.address, exchanges: [Exchange.replies], queues: [queue]).run()
            }
            try await TestDatabase.withPool(url, size: 1) { pool in
                _ = try await pool.query(Statement("SELECT id FROM inbox"))
                _ = try await pool.query(Statement("SELECT id FROM outbox"))
            }
            try await queues.provisioner.perform([.deleteQueue(queue)])
        }
    }

    @Test("names every exchange and queue that the broker lacks, and where they come from")
    @Loop func missing() async throws {
        let queues = try TestQueues()
        try await TestDatabase.withDatabase { url in
            let names = (1...3).map { "\(queues.prefix).missing\($0)" }
            let words = await words {
                try await check(url, queues.address, exchanges: [names[0]], queues: [names[1], names[2]]).run()
            }
            for name in names { #expect(words?.contains(name) == true) }
            #expect(words?.contains("queues/definitions.json") == true)
        }
    }

    @Test("does not wait for a broker or a database that refuses the login, and keeps the password to itself")
    @Loop func refused() async throws {
        let queues = try TestQueues()
        var wrong = queues.address
        wrong.password = "hunter2"
        try await TestDatabase.withDatabase { url in
            let broker = await words { try await check(url, wrong).run() }
            #expect(broker != nil && broker?.contains("hunter2") == false)
            let at = try #require(url.firstIndex(of: "@"))
            let stranger = "postgresql://nobody_here:hunter2" + url[at...]
            let database = await words { try await check(stranger, queues.address).run() }
            #expect(database != nil && database?.contains("hunter2") == false)
        }
    }

    @Test("waits for a broker and a database that are away, and goes on when they come")
    @Loop func waits() async throws {
        let queues = try TestQueues()
        try await TestDatabase.withDatabase { url in
            let broker = try FaultProxy(to: queues.address.port)
            let database = try FaultProxy(to: TestDatabase.port(of: url))
            defer {
                broker.stop()
                database.stop()
            }
            broker.refuse()
            database.refuse()
            var address = queues.address
            address.port = broker.port
            let check = check(TestDatabase.through(database.port, url), address)
            async let done: Void = check.run()
            #expect(try await eventually(within: .seconds(20)) { database.acceptedCount >= 2 })
            #expect(broker.acceptedCount == 0)
            database.resume()
            #expect(try await eventually(within: .seconds(20)) { broker.acceptedCount >= 2 })
            broker.resume()
            try await done
        }
    }

    @Test("ends where a migration does not fit, and names it")
    @Loop func migration() async throws {
        let queues = try TestQueues()
        try await TestDatabase.withDatabase { url in
            let broken = KitMigrations.all + [Migration(name: "things-0001", sql: "CREATE TABEL x ()")]
            let words = await words { try await check(url, queues.address, migrations: broken).run() }
            #expect(words?.contains("things-0001") == true)
        }
    }
}
