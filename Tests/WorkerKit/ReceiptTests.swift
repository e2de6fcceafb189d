import AMQP
import Contracts
import FaultProxy
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Receipts and retention", .timeLimit(.minutes(3))) struct ReceiptTests {}
}

extension Workers.ReceiptTests {
    private struct TransientFailure: Error {}

    /// Runs a test with the handler of receipts. The results are stored for a day.
    @Loop private func withReceipts(_ body: @Loop (WorkerFixture) async throws -> Void) async throws {
        try await WorkerFixture.run(.init(needsCaller: true)) { fixture in
            fixture.extraHandlers = [
                .receipt(fixture.service.receipt, database: fixture.database, retention: .seconds(86_400))
            ]
            try await body(fixture)
        }
    }

    @Loop private func receipt(
        _ fixture: WorkerFixture, _ id: UUID, _ caller: UUID, acceptedAt: Timestamp? = nil
    ) async throws -> Reply {
        let body = String(decoding: ReceiptRequest(id: id, acceptedAt: acceptedAt).jsonBytes(), as: UTF8.self)
        return try await fixture.client.ask(fixture.service.receipt.name, body, subject: caller)
    }

    /// Returns the receipt of a command, which must exist.
    @Loop private func status(
        _ fixture: WorkerFixture, _ id: UUID, _ caller: UUID, acceptedAt: Timestamp? = nil
    ) async throws -> Receipt.Status {
        try decode(await receipt(fixture, id, caller, acceptedAt: acceptedAt)).status
    }

    private func decode(_ reply: Reply) throws -> Receipt { try Receipt.schema.decode(JSON.parse(reply.body)) }

    @Test("the status of a command is failed after all retries failed, and done after a successful replay")
    @Loop func failed() async throws {
        try await withReceipts { fixture in
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            try await fixture.withWorker { _ in
                let (thing, id, caller) = (UUID.v7(), UUID(), UUID.v7())
                let create = fixture.service.create.name
                let reply = try await fixture.client.ask(create, fixture.body(thing), id: id, subject: caller)
                #expect(reply.status == 500 && reply.problem == "command-failed")
                let failed = try decode(await receipt(fixture, id, caller))
                #expect(failed.status == .failed && failed.result?.status == 500)
                #expect(failed.result?.body["code"]?.string == "command-failed")
                #expect(try await status(fixture, id, UUID.v7()) == .accepted)

                fixture.service.onEnd = nil
                let replayed = try await fixture.client.ask(create, fixture.body(thing), id: id, subject: caller) {
                    $0.exchange = Exchange.requeue
                    $0.routingKey = "replay.\(fixture.queues.commands)"
                    $0.properties.headers[Header.origin] = .string(fixture.client.user)
                }
                #expect(replayed.status == 201)
                let done = try decode(await receipt(fixture, id, caller))
                #expect(done.status == .done && done.result?.status == 201)
            }
        }
    }

    @Test("a command that was given up and is sent again later has the status accepted until it is carried out")
    @Loop func sentAgain() async throws {
        try await withReceipts { fixture in
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            try await fixture.withWorker { _ in
                let (id, caller) = (UUID(), UUID.v7())
                _ = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(.v7()), id: id, subject: caller)
                let now = Timestamp.now()
                let later = now.advanced(by: .seconds(120))
                #expect(try await status(fixture, id, caller, acceptedAt: now) == .failed)
                #expect(try await status(fixture, id, caller, acceptedAt: later) == .accepted)
            }
        }
    }

    @Test("without a stored result, the receipt of a command is accepted for the retention time, and then expired")
    @Loop func expired() async throws {
        try await withReceipts { fixture in
            try await fixture.withWorker { _ in
                let (id, caller) = (UUID(), UUID.v7())
                let day = Timestamp.now().advanced(by: .seconds(-86_400))
                let recent = try await receipt(fixture, id, caller, acceptedAt: day.advanced(by: .seconds(60)))
                #expect(try decode(recent).status == .accepted)
                let old = try await receipt(fixture, id, caller, acceptedAt: day)
                #expect(old.status == 410 && old.problem == "receipt-expired")
                #expect(try await status(fixture, id, caller) == .accepted)

                _ = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(.v7()), id: id, subject: caller)
                #expect(try await status(fixture, id, caller, acceptedAt: day) == .done)
            }
        }
    }

    @Test("a command is not given up while its failure cannot be stored")
    @Loop func withoutDatabase() async throws {
        try await withReceipts { fixture in
            try await fixture.withWorker { worker in
                fixture.databaseProxy.refuse()
                #expect(try await eventually(within: .seconds(20)) { worker.pool.availability == .unavailable })
                let (id, caller) = (UUID(), UUID.v7())
                let create = fixture.service.create.name
                let request = try await fixture.client.send(create, fixture.body(.v7()), id: id, subject: caller) {
                    $0.exchange = Exchange.requeue
                    $0.routingKey = "replay.\(fixture.queues.commands)"
                    $0.properties.headers[Header.origin] = .string(fixture.client.user)
                    $0.properties.headers[Header.deliveries] = 20
                }
                // Meanwhile the worker serves requests that need no database.
                for _ in 0..<5 {
                    let login = try await fixture.client.ask(
                        fixture.service.login.name, fixture.body(.v7()), subject: caller)
                    #expect(login.status == 204)
                }
                let dead = Queue.dead(of: fixture.queues.commands)
                // The command is postponed about 30 times.
                try await Loop.sleep(for: .seconds(1))
                #expect(fixture.client.taken(from: dead).isEmpty)
                fixture.databaseProxy.resume()
                #expect(try await fixture.client.reply(to: request).problem == "command-failed")
                #expect(try await eventually(within: .seconds(20)) { fixture.client.taken(from: dead).count == 1 })
                #expect(try await status(fixture, id, caller) == .failed)
            }
        }
    }

    @Test("the sweeper deletes all rows of old commands, also if they are more than a batch, and keeps the others")
    @Loop func sweep() async throws {
        try await WorkerFixture.run { fixture in
            for statement in [
                """
                INSERT INTO inbox (id, type, status, body, handled_at)
                SELECT gen_random_uuid(), 'x', 201, '', now() - make_interval(mins => n % 2 * 20)
                FROM generate_series(1, 12000) AS n
                """,
                """
                INSERT INTO failed_commands (id, status, body, failed_at)
                SELECT gen_random_uuid(), 500, '', now() - make_interval(mins => n % 2 * 20)
                FROM generate_series(1, 12000) AS n
                """,
            ] { _ = try await fixture.database.query(Statement(statement)) }
            let sweeper = CommandSweeper(pool: fixture.database, retention: .seconds(600), log: .quiet)
            try await sweeper.sweep()
            for table in ["inbox", "failed_commands"] {
                #expect(try await fixture.count("SELECT count(*) FROM \(table)") == 6_000)
            }
            for table in ["inbox WHERE handled_at", "failed_commands WHERE failed_at"] {
                #expect(try await fixture.count("SELECT count(*) FROM \(table) < now() - interval '10 min'") == 0)
            }
        }
    }
}
