import AMQP
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
    @Suite("Outages of a dependency", .timeLimit(.minutes(3))) struct OutageTests {}
}

extension Workers.OutageTests {
    private struct HostError: DependencyError {
        static let host = Dependency("the media host")
        var missingDependency: Dependency? { Self.host }
    }

    private struct OtherHostError: DependencyError {
        var missingDependency: Dependency? { Dependency("another host") }
    }

    @Test("commands wait in the worker while the database is away, and are carried out without a counted failure")
    @Loop func databaseAway() async throws {
        try await WorkerFixture.run { fixture async throws in
            var failures: [Int] = []
            fixture.service.onEnd = { _, context in failures.append(context.message.failures) }
            try await fixture.withWorker { worker async throws in
                fixture.databaseProxy.refuse()
                #expect(try await eventually(within: .seconds(20)) { worker.pool.availability == .unavailable })
                let things = (0..<5).map { _ in UUID.v7() }
                var requests: [String] = []
                for thing in things {
                    requests.append(
                        try await fixture.client.send(fixture.service.create.name, fixture.body(thing)))
                }
                // Longer than all delays of the ladder of this test together.
                try await Loop.sleep(for: .seconds(1))
                #expect(try await fixture.queues.depth(fixture.queues.waiting) == 0)
                fixture.databaseProxy.resume()
                for request in requests { #expect(try await fixture.client.reply(to: request).status == 201) }
                for thing in things { #expect(try await fixture.effects(of: thing) == 1) }
                #expect(failures.allSatisfy { $0 == 0 })
            }
        }
    }

    @Test("while all hosts of the database refuse writes, queries get replies, and commands wait for one that does not")
    @Loop func readOnlyHosts() async throws {
        try await WorkerFixture.run { fixture async throws in
            let second = try FaultProxy(to: TestDatabase.port(of: fixture.databaseURL))
            defer { second.stop() }
            var plan = RunningWorker.Plan()
            plan.secondDatabaseProxy = second
            try await fixture.withWorker(plan) { worker async throws in
                let read = Statement("SELECT count(*) FROM effect")
                let looked = UUID.v7()
                fixture.service.onEnd = { thing, _ in if thing == looked { _ = try await worker.pool.query(read) } }
                try await refuseWrites(true, fixture)
                for proxy in [fixture.databaseProxy, second] { proxy.cut() }
                #expect(try await eventually(within: .seconds(20)) { try await isReadOnly(worker.pool) })
                let thing = UUID.v7()
                let request = try await fixture.client.send(fixture.service.create.name, fixture.body(thing))
                #expect(try await eventually(within: .seconds(20)) { worker.missingDependencies == [.database] })
                for _ in 0..<5 {
                    let reply = try await fixture.client.ask(fixture.service.read.name, fixture.body(looked))
                    #expect(reply.status == 200)
                }
                #expect(fixture.client.replies(to: request).isEmpty)
                // Only the second host is left, and it accepts writes.
                fixture.databaseProxy.refuse()
                try await refuseWrites(false, fixture)
                #expect(try await fixture.client.reply(to: request, within: .seconds(40)).status == 201)
                #expect(try await fixture.effects(of: thing) == 1)
                #expect(fixture.client.taken(from: Queue.dead(of: fixture.queues.commands)).isEmpty)
            }
        }
    }

    /// Makes new sessions of the fixture's database read-only or not.
    @Loop private func refuseWrites(_ refuses: Bool, _ fixture: WorkerFixture) async throws {
        let setting = refuses ? "SET default_transaction_read_only = on" : "RESET default_transaction_read_only"
        _ = try await fixture.database.query(
            Statement("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I \(setting)', current_database()); END $$"))
    }

    /// Whether a session of the pool refuses writes. `false` while the pool has no connection.
    @Loop private func isReadOnly(_ pool: PostgresPool) async throws -> Bool {
        guard pool.availability == .available else { return false }
        do throws(PostgresError) {
            let rows = try await pool.query(Statement("SELECT current_setting('transaction_read_only')"))
            return try rows[0].get(0, as: String.self) == "on"
        } catch {
            guard error.isOutage else { throw error }
            return false
        }
    }

    @Test("a command that is held for long waits in a delay queue instead, and never becomes a dead letter")
    @Loop func longOutage() async throws {
        try await WorkerFixture.run { fixture async throws in
            var plan = RunningWorker.Plan()
            plan.holdLimit = .milliseconds(100)
            try await fixture.withWorker(plan) { worker async throws in
                fixture.databaseProxy.refuse()
                #expect(try await eventually(within: .seconds(20)) { worker.pool.availability == .unavailable })
                let (thing, id) = (UUID.v7(), UUID.v7())
                let request = try await fixture.client.send(
                    fixture.service.create.name, fixture.body(thing), id: id)
                // The command is held and postponed about 15 times. The ladder would end after 4 failures.
                try await Loop.sleep(for: .seconds(2))
                fixture.databaseProxy.resume()
                #expect(try await fixture.client.reply(to: request).status == 201)
                #expect(try await fixture.effects(of: thing) == 1)
                #expect(fixture.client.taken(from: Queue.dead(of: fixture.queues.commands)).isEmpty)
            }
        }
    }

    @Test("commands that need no missing dependency are carried out while others are held")
    @Loop func others() async throws {
        try await WorkerFixture.run { fixture async throws in
            let held = UUID.v7()
            var isAway = true
            fixture.service.onBegin = { thing, _ in if isAway, thing == held { throw HostError() } }
            try await fixture.withWorker { _ async throws in
                let request = try await fixture.client.send(fixture.service.create.name, fixture.body(held))
                for _ in 0..<3 {
                    #expect(
                        try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())).status
                            == 201)
                }
                #expect(fixture.client.replies(to: request).isEmpty)
                isAway = false
                #expect(try await fixture.client.reply(to: request).status == 201)
            }
        }
    }

    @Test("a message that alone fails because of a dependency, while others are carried out, becomes a dead letter")
    @Loop func poison() async throws {
        try await WorkerFixture.run { fixture async throws in
            let poison = UUID.v7()
            var plan = RunningWorker.Plan()
            plan.holdLimit = .seconds(10)
            // The connection to the database breaks in each attempt to carry out this command.
            fixture.service.onEnd = { thing, context in
                if thing == poison {
                    let terminate = Statement("SELECT pg_terminate_backend(pg_backend_pid())")
                    _ = try await context.transaction().query(terminate)
                }
            }
            try await fixture.withWorker(plan) { _ async throws in
                let id = UUID.v7()
                try await fixture.client.send(fixture.service.create.name, fixture.body(poison), id: id)
                let dead = Queue.dead(of: fixture.queues.commands)
                let isDead = try await eventually(within: .seconds(90)) {
                    _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7()))
                    return fixture.client.taken(from: dead).contains { $0.properties.messageID == id.text }
                }
                #expect(isDead)
                #expect(try await fixture.effects(of: poison) == 0)
            }
        }
    }

    @Test("held commands return to their queue when the worker stops, and another worker carries them out")
    @Loop func stop() async throws {
        try await WorkerFixture.run { fixture async throws in
            let (thing, id) = (UUID.v7(), UUID.v7())
            var request = ""
            try await fixture.withWorker { worker async throws in
                fixture.databaseProxy.refuse()
                #expect(try await eventually(within: .seconds(20)) { worker.pool.availability == .unavailable })
                request = try await fixture.client.send(fixture.service.create.name, fixture.body(thing), id: id)
                #expect(try await eventually(within: .seconds(20)) { !worker.missingDependencies.isEmpty })
            }
            fixture.databaseProxy.resume()
            try await fixture.withWorker { _ async throws in
                #expect(try await fixture.client.reply(to: request).status == 201)
                #expect(try await fixture.effects(of: thing) == 1)
            }
        }
    }

    @Test("of two workers, the one that loses its database steps back, and the other one gets all messages")
    @Loop func stepBack() async throws {
        try await WorkerFixture.run { fixture async throws in
            var plan = RunningWorker.Plan()
            plan.bypassesDatabaseProxy = true
            try await fixture.withWorker { affected async throws in
                try await fixture.withWorker(plan) { _ async throws in
                    fixture.databaseProxy.refuse()
                    #expect(
                        try await eventually(within: .seconds(20)) { affected.pool.availability == .unavailable })
                    try await Loop.sleep(for: .seconds(2))
                    let start = ContinuousClock.now
                    for _ in 0..<40 {
                        let reply = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7()))
                        #expect(reply.status == 201)
                    }
                    #expect(.now - start < .seconds(10))
                }
                // The worker that has stepped back is the only one now. It holds the command until it has its database.
                let request = try await fixture.client.send(fixture.service.create.name, fixture.body(UUID.v7()))
                #expect(try await eventually(within: .seconds(20)) { !affected.outages.missing.isEmpty })
                fixture.databaseProxy.resume()
                #expect(try await fixture.client.reply(to: request).status == 201)
            }
        }
    }

    @Test("of two workers, the one whose caches lose Redis gets no messages until it has Redis again")
    @Loop func stepBackWithoutRedis() async throws {
        try await WorkerFixture.run { fixture async throws in
            let log = CapturedLog()
            try await CacheFixture.run { caches async throws in
                var plan = RunningWorker.Plan()
                plan.caches = caches.redis
                plan.log = log.logger(.info)
                try await fixture.withWorker(plan) { affected async throws in
                    try await fixture.withWorker { _ async throws in
                        caches.proxy.refuse()
                        #expect(try await eventually(within: .seconds(20)) { affected.missingDependencies == [.redis] })
                        try await Loop.sleep(for: .seconds(2))
                        let handled = log.events.count
                        for _ in 0..<20 { try await sendCommand(fixture) }
                        #expect(log.events.count == handled, "the worker without Redis must get no message")
                        caches.proxy.resume()
                        #expect(try await eventually(within: .seconds(20)) { affected.missingDependencies.isEmpty })
                        let isUsed = try await eventually(within: .seconds(20)) {
                            try await sendCommand(fixture)
                            return log.events.count > handled
                        }
                        #expect(isUsed)
                    }
                }
            }
        }
    }

    @Loop private func sendCommand(_ fixture: WorkerFixture) async throws {
        let reply = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7()))
        #expect(reply.status == 201)
    }

    @Test("an outage ends when its last held message fails for another reason, or because of another dependency")
    @Loop func forgotten() async throws {
        for next in [TransientFailure(), OtherHostError()] as [any Error] {
            try await WorkerFixture.run { fixture async throws in
                var isAway = true
                fixture.service.onBegin = { _, _ in throw isAway ? HostError() : next }
                try await fixture.withWorker { worker async throws in
                    try await fixture.client.send(fixture.service.create.name, fixture.body(UUID.v7()))
                    let isMissing = try await eventually(within: .seconds(20)) {
                        worker.missingDependencies == [HostError.host]
                    }
                    #expect(isMissing)
                    isAway = false
                    let hasEnded = try await eventually(within: .seconds(20)) {
                        !worker.missingDependencies.contains(HostError.host)
                    }
                    #expect(hasEnded)
                }
            }
        }
    }

    @Test("an outage ends when the delivery of its last held message was lost")
    @Loop func lostDelivery() async throws {
        let outages = Outages(limit: .seconds(30), log: .quiet)
        let outcome = await outages.carryOut(isOpen: { false }, attempt: { .failed(HostError()) })
        guard case .givenBack = outcome else { throw TransientFailure() }
        #expect(outages.missing.isEmpty)
    }

    @Test("an outage does not end while one of its messages is being carried out again")
    @Loop func probing() async throws {
        let outage = Outage(of: .database, log: .quiet)
        async let probe = outage.hold(TransientFailure(), until: .now + .seconds(30))
        async let other = outage.hold(TransientFailure(), until: .now + .milliseconds(20))
        #expect(await other == .expired)
        #expect(await probe == .retry)
        outage.endIfUnknown()
        #expect(outage.isActive)
        outage.attemptEnded()
        outage.endIfUnknown()
        #expect(!outage.isActive)
    }

    @Test("an outage is logged once when it begins and once when it ends, with its duration")
    @Loop func logLines() async throws {
        let log = CapturedLog()
        let outage = Outage(of: .database, log: log.logger(.info))
        let error = TransientFailure()
        async let first = outage.hold(error, until: .now + .seconds(30))
        async let second = outage.hold(error, until: .now + .seconds(30))
        #expect(await first == .retry)
        outage.end()
        outage.end()
        #expect(await second == .retry)
        #expect(
            log.events.map(\.message) == [
                "a dependency is not available; messages that need it are held",
                "the dependency is available again",
            ])
    }

    @Test("a held message ends its wait at its deadline, and at once when the outage is closed")
    @Loop func ends() async throws {
        let outage = Outage(of: .database, log: .quiet)
        #expect(await outage.hold(TransientFailure(), until: .now + .milliseconds(20)) == .expired)
        async let held = outage.hold(TransientFailure(), until: .now + .seconds(30))
        await Task.yield()
        outage.close()
        #expect([.closed, .retry].contains(await held))
        #expect(await outage.hold(TransientFailure(), until: .now + .seconds(30)) == .closed)
    }
}
