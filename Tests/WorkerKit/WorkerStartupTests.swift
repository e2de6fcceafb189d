import AMQP
import BrokerSupport
import Contracts
import DatabaseSupport
import FaultProxy
import FoundationEssentials
import Logging
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Worker start-up", .timeLimit(.minutes(3))) struct WorkerStartupTests {}
}

extension Workers.WorkerStartupTests {
    private func startup(
        _ url: String, _ broker: BrokerAddress, exchanges: [String] = [], queues: [String] = [],
        migrations: [Migration] = KitMigrations.all
    ) -> WorkerStartup {
        WorkerStartup(
            migrations: migrations, databaseURL: url, topology: RequiredTopology(exchanges: exchanges, queues: queues),
            broker: broker, name: "test", log: .quiet)
    }

    private func failure(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("start-up migrates the database and succeeds if the topology is complete, and can be repeated")
    @Loop func passes() async throws {
        let queues = try TestQueues()
        try await TestDatabase.withDatabase { url in
            let queue = queues.prefix + ".there"
            try await queues.provisioner.perform([
                .exchange(Exchange.replies, type: "direct"), .queue(queue),
            ])
            for _ in 0..<2 {
                try await startup(url, queues.address, exchanges: [Exchange.replies], queues: [queue]).run()
            }
            try await TestDatabase.withPool(url, size: 1) { pool in
                _ = try await pool.query(Statement("SELECT id FROM inbox"))
                _ = try await pool.query(Statement("SELECT id FROM outbox"))
            }
            try await queues.provisioner.perform([.deleteQueue(queue)])
        }
    }

    @Test("start-up fails with the names of all missing exchanges and queues and with the file that declares them")
    @Loop func missing() async throws {
        let queues = try TestQueues()
        try await TestDatabase.withDatabase { url in
            let names = (1...3).map { "\(queues.prefix).missing\($0)" }
            let failure = await failure {
                try await startup(url, queues.address, exchanges: [names[0]], queues: [names[1], names[2]]).run()
            }
            for name in names { #expect(failure?.contains(name) == true) }
            #expect(failure?.contains("queues/definitions.json") == true)
        }
    }

    @Test("start-up fails at once if the broker or the database refuses the login, without the password in the error")
    @Loop func refused() async throws {
        let queues = try TestQueues()
        var wrong = queues.address
        wrong.password = "hunter2"
        try await TestDatabase.withDatabase { url in
            let broker = await failure { try await startup(url, wrong).run() }
            #expect(broker != nil && broker?.contains("hunter2") == false)
            let at = try #require(url.firstIndex(of: "@"))
            let wrongURL = "postgresql://nobody_here:hunter2" + url[at...]
            let database = await failure { try await startup(wrongURL, queues.address).run() }
            #expect(database != nil && database?.contains("hunter2") == false)
        }
    }

    @Test("start-up waits while the database and the broker cannot be reached, and then continues")
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
            let address = queues.address.at(port: broker.port)
            let startup = startup(TestDatabase.through(database.port, url), address)
            async let done: Void = startup.run()
            #expect(try await eventually(within: .seconds(20)) { database.acceptedCount >= 2 })
            #expect(broker.acceptedCount == 0)
            database.resume()
            #expect(try await eventually(within: .seconds(20)) { broker.acceptedCount >= 2 })
            broker.resume()
            try await done
        }
    }

    @Test("start-up fails with the name of a migration that cannot be applied")
    @Loop func migration() async throws {
        let queues = try TestQueues()
        try await TestDatabase.withDatabase { url in
            let broken = KitMigrations.all + [Migration(name: "things-0001", sql: "CREATE TABEL x ()")]
            let failure = await failure { try await startup(url, queues.address, migrations: broken).run() }
            #expect(failure?.contains("things-0001") == true)
        }
    }
}
