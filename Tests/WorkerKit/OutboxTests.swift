import AMQP
import BrokerSupport
import Contracts
import DatabaseSupport
import FaultProxy
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Outbox", .timeLimit(.minutes(3))) struct OutboxTests {}
}

extension Workers.OutboxTests {
    @Test("a committed event is published as a CloudEvent whose id is the message id, and is removed from the outbox")
    @Loop func published() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let thing = UUID.v7()
                _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing))
                #expect(try await eventually(within: .seconds(20)) { fixture.events(about: thing) == 1 })
                let delivery = try #require(
                    fixture.client.taken(from: fixture.eventQueue).first {
                        fixture.eventIDs(about: [thing]) == [$0.properties.messageID]
                    })
                let event: CloudEvent<ThingMade> = try EventEnvelope.decode(delivery.body).decode(ThingMade.self)
                #expect(event.data.id == thing)
                #expect(delivery.properties.messageID == event.id.text)
                #expect(delivery.properties.type == ThingMade.type && delivery.routingKey == ThingMade.type)
                #expect(delivery.properties.contentType == ContentType.cloudEvent)
                #expect(delivery.properties.isPersistent)
                #expect(delivery.properties.userID == fixture.client.user)
                #expect(try await eventually { try await fixture.outboxCount() == 0 })
            }
        }
    }

    @Test("a command that emits an event and is then refused publishes no event and has no effect")
    @Loop func refused() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.onEnd = { _, _ in throw Problem(.forbidden) }
            try await fixture.withWorker { _ async throws in
                let thing = UUID.v7()
                #expect(try await fixture.client.ask(fixture.service.create.name, fixture.body(thing)).status == 403)
                #expect(try await fixture.effects(of: thing) == 0)
                try await fixture.expectNoEvent(about: thing)
            }
        }
    }

    @Test("a command that emits an event and fails at every attempt publishes no event and has no effect")
    @Loop func failed() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            try await fixture.withWorker { _ async throws in
                let thing = UUID.v7()
                #expect(try await fixture.client.ask(fixture.service.create.name, fixture.body(thing)).status == 500)
                #expect(try await fixture.effects(of: thing) == 0)
                try await fixture.expectNoEvent(about: thing)
            }
        }
    }

    @Test("an event that is committed while the broker cannot be reached is published when the broker is back")
    @Loop func brokerAway() async throws {
        try await WorkerFixture.run { fixture async throws in
            var isCut = false
            fixture.service.onEnd = { _, _ in
                guard !isCut else { return }
                isCut = true
                fixture.brokerProxy.refuse()
            }
            try await fixture.withWorker { worker async throws in
                let thing = UUID.v7()
                try await fixture.client.send(fixture.service.create.name, fixture.body(thing))
                #expect(try await eventually(within: .seconds(20)) { try await fixture.effects(of: thing) == 1 })
                #expect(try await eventually { worker.publisher.availability != .available })
                #expect(try await fixture.outboxCount() == 1)
                #expect(fixture.events(about: thing) == 0)
                fixture.brokerProxy.resume()
                #expect(try await eventually(within: .seconds(30)) { fixture.events(about: thing) >= 1 })
                #expect(try await eventually(within: .seconds(20)) { try await fixture.outboxCount() == 0 })
                #expect(try await fixture.effects(of: thing) == 1)
            }
        }
    }

    @Test("an event whose confirm does not arrive stays in the outbox and is published again")
    @Loop func relayCut() async throws {
        try await WorkerFixture.run { fixture async throws in
            let thing = UUID.v7()
            try await fixture.withWorker { worker async throws in
                // The event is published, but its confirm does not arrive.
                fixture.service.afterCommit = { fixture.brokerProxy.stall() }
                try await fixture.client.send(fixture.service.create.name, fixture.body(thing))
                #expect(try await eventually(within: .seconds(20)) { worker.publisher.outstandingCount > 0 })
                #expect(try await fixture.outboxCount() == 1)
                fixture.service.afterCommit = nil
                fixture.brokerProxy.refuse()
                fixture.brokerProxy.resume()
                #expect(try await eventually(within: .seconds(30)) { fixture.events(about: thing) >= 1 })
                #expect(try await eventually(within: .seconds(30)) { try await fixture.outboxCount() == 0 })
            }
        }
    }

    @Test("events that a worker leaves in the outbox are published by the next worker that starts")
    @Loop func leftBehind() async throws {
        try await WorkerFixture.run { fixture async throws in
            let thing = UUID.v7()
            var plan = RunningWorker.Plan()
            plan.relays = false
            try await fixture.withWorker(plan) { _ async throws in
                _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing))
            }
            #expect(try await fixture.outboxCount() == 1)
            #expect(fixture.events(about: thing) == 0)
            try await fixture.withWorker { _ async throws in
                #expect(try await eventually(within: .seconds(30)) { fixture.events(about: thing) == 1 })
            }
            #expect(try await fixture.outboxCount() == 0)
        }
    }

    @Test("a worker publishes its committed events before it stops")
    @Loop func atStop() async throws {
        try await WorkerFixture.run { fixture async throws in
            var things: [UUID] = []
            try await fixture.withWorker { worker async throws in
                for _ in 0..<20 {
                    things.append(UUID.v7())
                    try await fixture.client.send(fixture.service.create.name, fixture.body(things[things.count - 1]))
                }
                #expect(try await eventually(within: .seconds(20)) { fixture.service.begun == 20 })
                try await worker.stopConsuming()
            }
            #expect(try await fixture.outboxCount() == 0)
            #expect(try await fixture.count("SELECT count(*) FROM effect") == 20)
            #expect(try await eventually { things.allSatisfy { fixture.events(about: $0) == 1 } })
        }
    }

    @Test("the relays of two workers publish every event once if no connection breaks")
    @Loop func severalRelays() async throws {
        try await WorkerFixture.run { fixture async throws in
            var plan = RunningWorker.Plan()
            plan.relays = false
            let things = (0..<300).map { _ in UUID.v7() }
            try await fixture.withWorker(plan) { _ async throws in
                for thing in things { try await fixture.client.send(fixture.service.create.name, fixture.body(thing)) }
                #expect(try await eventually(within: .seconds(60)) { try await fixture.outboxCount() == things.count })
            }
            try await fixture.withWorker { _ async throws in
                try await fixture.withWorker { _ async throws in
                    #expect(
                        try await eventually(within: .seconds(60)) {
                            fixture.eventIDs(about: things).count >= things.count
                        })
                    #expect(try await eventually { try await fixture.outboxCount() == 0 })
                }
            }
            let ids = fixture.eventIDs(about: things)
            #expect(ids.count == things.count)
            #expect(Set(ids).count == things.count)
        }
    }

    @Test("a refused event is taken from the outbox again after a delay that doubles with each refusal, up to 256 s")
    @Loop func postponed() async throws {
        try await WorkerFixture.run { fixture async throws in
            let events = [0, 1, 2, 7, 8, 9, 1000].map {
                Outbox.Event(id: .v7(), type: "test.refused", body: [], refusals: $0)
            }
            let transaction = try await fixture.database.begin()
            #expect(Outbox.postpone(events, in: transaction) == .seconds(1))
            try await transaction.commit()
            let delays = try await fixture.database.query(
                Statement("SELECT extract(epoch FROM due_at - now())::float8, refusals FROM outbox ORDER BY number"))
            let rows = try delays.map { try $0.decode((Double, Int32).self) }
            #expect(rows.map { $0.1 } == [1, 2, 3, 8, 9, 10, 1001])
            for (row, seconds) in zip(rows, [1, 2, 4, 128, 256, 256, 256] as [Double]) {
                #expect((seconds - 20...seconds).contains(row.0))
            }
            _ = try await fixture.database.query(Statement("UPDATE outbox SET due_at = now() WHERE refusals = 3"))
            let second = try await fixture.database.begin()
            let due = try await Outbox.take(100, in: second)
            #expect(due.contains { $0.id == events[2].id && $0.refusals == 3 })
            #expect(!due.contains { $0.refusals > 3 })
            try await second.commit()
        }
    }

    @Test("new events and events that are due again are taken in the order of their numbers, and at most the limit")
    @Loop func order() async throws {
        try await withOutbox { pool in
            for due in ["NULL", "now() - interval '2 s'", "NULL", "now() + interval '1 h'", "now() - interval '9 s'"] {
                _ = try await pool.query(
                    Statement(
                        """
                        INSERT INTO outbox (id, type, body, due_at)
                        SELECT gen_random_uuid(), 'test.' || 1 + count(*), '', \(due) FROM outbox
                        """))
            }
            for expected in [["test.1", "test.2", "test.3"], ["test.5"], []] {
                let transaction = try await pool.begin()
                #expect(try await Outbox.take(3, in: transaction).map(\.type) == expected)
                try await transaction.commit()
            }
        }
    }

    @Test("taking events reads no postponed rows, even if the statement was planned while the outbox was small")
    @Loop func postponedRowsAreNotRead() async throws {
        try await withOutbox { pool in
            // The planner must know that the table is small. PostgreSQL keeps the plan of a prepared statement from its
            // sixth execution on.
            _ = try await rowsRead(takingNew: 1, pool)
            _ = try await pool.query(Statement("VACUUM (ANALYZE) outbox"))
            for _ in 0..<10 { _ = try await rowsRead(takingNew: 1, pool) }
            let readWithoutPostponed = try await rowsRead(takingNew: 10, pool)
            #expect(readWithoutPostponed >= 10)
            let postpone = Statement(
                """
                INSERT INTO outbox (id, type, body, refusals, due_at)
                SELECT gen_random_uuid(), 'test.late', '', 9, now() + interval '1 h' FROM generate_series(1, 20000)
                """)
            _ = try await pool.query(postpone)
            #expect(try await rowsRead(takingNew: 10, pool) <= readWithoutPostponed)
            _ = try await pool.query(Statement("ANALYZE outbox"))
            #expect(try await rowsRead(takingNew: 10, pool) <= readWithoutPostponed)
        }
    }

    /// Runs a body with a pool of one connection to a schema with an empty outbox.
    @Loop private func withOutbox(_ body: @Loop (PostgresPool) async throws -> Void) async throws {
        try await TestDatabase.withSchema { url in
            try await Migrator(url: url, log: .quiet).migrate(KitMigrations.all)
            try await TestDatabase.withPool(url, size: 1, body)
        }
    }

    /// Adds new events to the outbox, takes them, and returns the number of table rows that PostgreSQL read for this.
    @Loop private func rowsRead(takingNew count: Int, _ pool: PostgresPool) async throws -> Int {
        let events = (0..<count).map { _ in Outbox.Event(id: .v7(), type: "test.new", body: []) }
        // The connection's counters include earlier transactions whose counts are not reported yet.
        let rowsRead = Statement(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'outbox'::regclass")
        let transaction = try await pool.begin()
        defer { transaction.close() }
        Outbox.insert(events, in: transaction)
        let before = try await transaction.query(rowsRead)[0].get(0, as: Int.self)
        let taken = try await Outbox.take(200, in: transaction)
        let after = try await transaction.query(rowsRead)[0].get(0, as: Int.self)
        try await transaction.commit()
        #expect(taken.map(\.id) == events.map(\.id))
        return after - before
    }

    @Test("an event that a subscriber's full queue refuses stays in the outbox and does not delay other events")
    @Loop func refusedBySubscriber() async throws {
        try await WorkerFixture.run { fixture async throws in
            let full = fixture.queues.prefix + ".full"
            try await fixture.queues.provisioner.perform([
                .queue(full, arguments: ["x-max-length": 1, "x-overflow": "reject-publish"]),
                .binding(queue: full, exchange: Exchange.events, key: Refused.type),
            ])
            fixture.service.onEnd = { thing, context in
                if context.message.requestID == "refused" { context.emit(RefusedEvent(id: thing)) }
            }
            try await fixture.withWorker { _ async throws in
                for _ in 0..<3 {
                    _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                        $0.properties.headers[Header.requestId] = "refused"
                    }
                }
                #expect(
                    try await eventually(within: .seconds(20)) {
                        let (kept, waiting) = (try await fixture.queues.depth(full), try await fixture.outboxCount())
                        return kept == 1 && waiting == 2
                    })
                let others = (0..<5).map { _ in UUID.v7() }
                for other in others {
                    _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(other))
                }
                #expect(
                    try await eventually(within: .seconds(20)) { others.allSatisfy { fixture.events(about: $0) == 1 } })
                #expect(try await eventually(within: .seconds(20)) { try await fixture.outboxCount() == 2 })
                try await fixture.queues.provisioner.perform([.deleteQueue(full)])
                #expect(try await eventually(within: .seconds(20)) { try await fixture.outboxCount() == 0 })
                #expect(others.allSatisfy { fixture.events(about: $0) == 1 })
            }
        }
    }
}

/// The event that only the test of a full queue publishes.
private enum Refused {
    static let type = "kitrefused." + String(UInt64.random(in: .min ... .max), radix: 36)
}

private struct RefusedEvent: DomainEvent {
    let id: UUID

    static var type: String { Refused.type }
    static let service = ServiceName.post
    var subject: UUID { id }
    static let schema = Schema<RefusedEvent>.object(
        "RefusedEvent", unknownFields: .ignored, field("id", \.id, .uuid), make: RefusedEvent.init)
}
