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
    @Suite("Commands carried out once", .timeLimit(.minutes(3))) struct OnceTests {}
}

extension Workers.OnceTests {
    @Test("a command that is sent twice with the same id has one effect, and both replies are equal")
    @Loop func secondMessage() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let first = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing), id: id)
                let second = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing), id: id)
                #expect(first.status == 201)
                #expect(first.location == "/v1/things/\(thing.text)" && first.etag == #""1""#)
                #expect(first == second)
                #expect(try await fixture.effects(of: thing) == 1)
            }
        }
    }

    @Test(
        "a command that is redelivered because the connection broke between commit and acknowledgement has one effect")
    @Loop func redelivery() async throws {
        try await WorkerFixture.run { fixture async throws in
            var isCut = false
            fixture.service.afterCommit = {
                guard !isCut else { return }
                isCut = true
                fixture.brokerProxy.cut()
            }
            try await fixture.withWorker { _ async throws in
                let thing = UUID.v7()
                let request = try await fixture.client.send(fixture.service.create.name, fixture.body(thing))
                #expect(try await eventually(within: .seconds(30)) { fixture.service.begun == 2 })
                let reply = try await fixture.client.reply(to: request)
                #expect(reply.status == 201)
                #expect(try await fixture.effects(of: thing) == 1)
                let rowCount = try await fixture.count("SELECT count(*) FROM inbox WHERE status = 201")
                #expect(rowCount == 1)
            }
            #expect(try await fixture.queues.depth(fixture.queues.commands) == 0)
        }
    }

    @Test("two deliveries of a command that are handled at the same time have one effect, one event and equal replies")
    @Loop func concurrent() async throws {
        try await WorkerFixture.run { fixture async throws in
            let barrier = Barrier(opensAfter: 2)
            fixture.service.onBegin = { _, context in
                _ = try await context.transaction().query(Statement("SELECT 1"))
                await barrier.pass()
            }
            try await fixture.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let one = try await fixture.client.send(fixture.service.create.name, fixture.body(thing), id: id)
                let two = try await fixture.client.send(fixture.service.create.name, fixture.body(thing), id: id)
                let (first, second) = (
                    try await fixture.client.reply(to: one), try await fixture.client.reply(to: two)
                )
                #expect(first.status == 201)
                #expect(first == second)
                #expect(try await fixture.effects(of: thing) == 1)
                #expect(try await eventually { fixture.events(about: thing) == 1 })
                fixture.service.onBegin = nil
                let later = UUID.v7()
                _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(later))
                #expect(try await eventually { fixture.events(about: later) == 1 })
                #expect(fixture.events(about: thing) == 1)
            }
        }
    }

    @Test("two deliveries of a delete command that are handled at the same time both get 204, and none is refused")
    @Loop func concurrentRefusal() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing))
                let barrier = Barrier(opensAfter: 2)
                fixture.service.onBegin = { _, context in
                    _ = try await context.transaction().query(Statement("SELECT 1"))
                    await barrier.pass()
                }
                let one = try await fixture.client.send(fixture.service.delete.name, fixture.body(thing), id: id)
                let two = try await fixture.client.send(fixture.service.delete.name, fixture.body(thing), id: id)
                #expect(try await fixture.client.reply(to: one).status == 204)
                #expect(try await fixture.client.reply(to: two).status == 204)
            }
        }
    }

    @Test("a redelivery of a refused command gets the stored refusal, even if the command would now succeed")
    @Loop func refusal() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let first = try await fixture.client.ask(fixture.service.delete.name, fixture.body(thing), id: id)
                #expect(first.status == 404)
                #expect(first.problem == "not-found")
                _ = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing))
                let second = try await fixture.client.ask(fixture.service.delete.name, fixture.body(thing), id: id)
                #expect(second == first)
                #expect(try await fixture.count("SELECT count(*) FROM thing WHERE id = '\(thing.text)'") == 1)
            }
        }
    }

    @Test("a command whose id another caller or message type has used is refused with idempotency-key-reused")
    @Loop func foreignID() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let (mine, theirs) = (UUID(), UUID())
                let body = fixture.body(thing)
                let first = try await fixture.client.ask(fixture.service.create.name, body, id: id, subject: mine)
                #expect(first.status == 201)
                let other = try await fixture.client.ask(fixture.service.create.name, body, id: id, subject: theirs)
                #expect(other.status == 422 && other.problem == "idempotency-key-reused")
                let withoutCaller = try await fixture.client.ask(fixture.service.create.name, body, id: id)
                #expect(withoutCaller.problem == "idempotency-key-reused")
                let otherType = try await fixture.client.ask(fixture.service.delete.name, body, id: id, subject: mine)
                #expect(otherType.problem == "idempotency-key-reused")
                #expect(try await fixture.effects(of: thing) == 1)
                #expect(try await fixture.count("SELECT count(*) FROM thing") == 1)
                let again = try await fixture.client.ask(fixture.service.create.name, body, id: id, subject: mine)
                #expect(again == first)
            }
        }
    }

    @Test("a used id with a different body is refused with 422, and with the same body gets the stored reply")
    @Loop func otherBody() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                for type in [fixture.service.create.name, fixture.service.createBatched.name] {
                    let (thing, other, id) = (UUID.v7(), UUID.v7(), UUID())
                    let first = try await fixture.client.ask(type, fixture.body(thing), id: id)
                    let second = try await fixture.client.ask(type, fixture.body(other), id: id)
                    #expect(second.status == 422 && second.problem == "idempotency-key-reused")
                    #expect(try await fixture.effects(of: other) == 0)
                    #expect(try await fixture.client.ask(type, fixture.body(thing), id: id) == first)
                }
            }
        }
    }

    @Test("a command whose commit fails with a declared error is refused at once, and after other errors is retried")
    @Loop func refusedAtCommit() async throws {
        try await WorkerFixture.run { fixture async throws in
            var isDeclared = true
            fixture.service.onEnd = { id, context in
                context.onCommitFailure(refuseWith: .idempotencyKeyReused) {
                    isDeclared && $0.isUniqueViolation(of: "thing_pkey")
                }
                try await context.transaction().send(Statement("INSERT INTO thing (id) VALUES ($1)"), id)
            }
            try await fixture.withWorker { _ async throws in
                let thing = UUID.v7()
                let refused = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing))
                #expect(refused.status == 422 && refused.problem == "idempotency-key-reused")
                #expect(fixture.service.begun == 1)
                #expect(try await fixture.effects(of: thing) == 0)

                isDeclared = false
                let failed = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing))
                #expect(failed.status == 500 && fixture.service.begun == 6, "an undeclared error is retried to the end")
            }
        }
    }

    @Test("if the commit of a batch fails with a declared error, only the command that causes the error is refused")
    @Loop func refusedInBatch() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.onBatch = { batch in
                for member in batch.members {
                    member.context.onCommitFailure(refuseWith: .idempotencyKeyReused) {
                        $0.isUniqueViolation(of: "thing_pkey")
                    }
                    let insert = Statement("INSERT INTO thing (id) VALUES ($1)")
                    try await batch.transaction().send(insert, member.body.id)
                }
            }
            try await fixture.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                let things = (0..<20).map { _ in UUID.v7() }
                _ = try await fixture.client.ask(fixture.service.createBatched.name, fixture.body(things[7]))
                var requests: [String] = []
                for thing in things {
                    requests.append(
                        try await fixture.client.send(fixture.service.createBatched.name, fixture.body(thing)))
                }
                for (index, request) in requests.enumerated() {
                    let reply = try await fixture.client.reply(to: request)
                    #expect(reply.status == (index == 7 ? 422 : 201))
                    #expect(try await fixture.effects(of: things[index]) == 1)
                }
            }
        }
    }

    @Test("a command whose id is missing or is not a UUID is refused with 400")
    @Loop func withoutID() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                for id in [nil, "", "17", "not-a-uuid"] as [String?] {
                    let thing = UUID.v7()
                    let reply = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing)) {
                        $0.properties.messageID = id
                    }
                    #expect(reply.status == 400 && reply.problem == "malformed-request")
                    #expect(try await fixture.effects(of: thing) == 0)
                }
            }
        }
    }

    @Test("a redelivered command whose handler looks up the stored reply first has no second effect")
    @Loop func storedReply() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.checksInbox = true
            try await fixture.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let first = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing), id: id)
                let second = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing), id: id)
                #expect(first == second && first.status == 201)
                #expect(fixture.service.begun == 1)
                #expect(try await fixture.effects(of: thing) == 1)
            }
        }
    }

    @Test("a command whose database connection breaks before the commit is retried and carried out once")
    @Loop func connectionLostBeforeCommit() async throws {
        try await WorkerFixture.run { fixture async throws in
            var isFirst = true
            fixture.service.onEnd = { _, _ in
                guard isFirst else { return }
                isFirst = false
                fixture.databaseProxy.cut()
            }
            try await fixture.withWorker { _ async throws in
                let thing = UUID.v7()
                let reply = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing))
                #expect(reply.status == 201)
                #expect(try await fixture.effects(of: thing) == 1)
                #expect(try await eventually { fixture.events(about: thing) == 1 })
            }
        }
    }
}
