import AMQP
import Contracts
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("A command is carried out once", .timeLimit(.minutes(3))) struct OnceTests {}
}

extension Workers.OnceTests {
    @Test("a second message with the same id has no effect and gets the first one's reply, byte for byte")
    @Loop func secondMessage() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let first = try await bench.client.ask(bench.things.make.name, bench.body(thing), id: id)
                let second = try await bench.client.ask(bench.things.make.name, bench.body(thing), id: id)
                #expect(first.status == 201)
                #expect(first.location == "/v1/things/\(thing.text)" && first.etag == #""1""#)
                #expect(first == second)
                #expect(try await bench.effects(of: thing) == 1)
            }
        }
    }

    @Test("a delivery that comes again since its worker's connection broke between commit and acknowledgement")
    @Loop func redelivery() async throws {
        try await Bench.run { bench async throws in
            var isCut = false
            bench.things.settled = {
                guard !isCut else { return }
                isCut = true
                bench.broker.cut()
            }
            try await bench.withWorker { _ async throws in
                let thing = UUID.v7()
                let request = try await bench.client.send(bench.things.make.name, bench.body(thing))
                #expect(try await eventually(within: .seconds(30)) { bench.things.begun == 2 })
                let reply = try await bench.client.reply(to: request)
                #expect(reply.status == 201)
                #expect(try await bench.effects(of: thing) == 1)
                let kept = try await bench.count("SELECT count(*) FROM inbox WHERE status = 201")
                #expect(kept == 1)
            }
            #expect(try await bench.queues.depth(bench.queues.commands) == 0)
        }
    }

    @Test("two deliveries at once: one effect, one event, and the same reply to both")
    @Loop func concurrent() async throws {
        try await Bench.run { bench async throws in
            let gate = Gate(opensAfter: 2)
            bench.things.atBegin = { _, context in
                _ = try await context.transaction().query(Statement("SELECT 1"))
                await gate.pass()
            }
            try await bench.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let one = try await bench.client.send(bench.things.make.name, bench.body(thing), id: id)
                let two = try await bench.client.send(bench.things.make.name, bench.body(thing), id: id)
                let (first, second) = (
                    try await bench.client.reply(to: one), try await bench.client.reply(to: two)
                )
                #expect(first.status == 201)
                #expect(first == second)
                #expect(try await bench.effects(of: thing) == 1)
                #expect(try await eventually { bench.events(about: thing) == 1 })
                bench.things.atBegin = nil
                let later = UUID.v7()
                _ = try await bench.client.ask(bench.things.make.name, bench.body(later))
                #expect(try await eventually { bench.events(about: later) == 1 })
                #expect(bench.events(about: thing) == 1)
            }
        }
    }

    @Test("a delivery that finds the work just done by another is answered like that one, not refused")
    @Loop func concurrentRefusal() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                _ = try await bench.client.ask(bench.things.make.name, bench.body(thing))
                let gate = Gate(opensAfter: 2)
                bench.things.atBegin = { _, context in
                    _ = try await context.transaction().query(Statement("SELECT 1"))
                    await gate.pass()
                }
                let one = try await bench.client.send(bench.things.drop.name, bench.body(thing), id: id)
                let two = try await bench.client.send(bench.things.drop.name, bench.body(thing), id: id)
                #expect(try await bench.client.reply(to: one).status == 204)
                #expect(try await bench.client.reply(to: two).status == 204)
            }
        }
    }

    @Test("a refused command is refused alike the second time, whatever has changed meanwhile")
    @Loop func refusal() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let first = try await bench.client.ask(bench.things.drop.name, bench.body(thing), id: id)
                #expect(first.status == 404)
                #expect(first.problem == "not-found")
                _ = try await bench.client.ask(bench.things.make.name, bench.body(thing))
                let second = try await bench.client.ask(bench.things.drop.name, bench.body(thing), id: id)
                #expect(second == first)
                #expect(try await bench.count("SELECT count(*) FROM thing WHERE id = '\(thing.text)'") == 1)
            }
        }
    }

    @Test("an id that another caller has used, or that was used for another type, hands out no stored reply")
    @Loop func foreignID() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let (mine, theirs) = (UUID(), UUID())
                let body = bench.body(thing)
                let first = try await bench.client.ask(bench.things.make.name, body, id: id, subject: mine)
                #expect(first.status == 201)
                let other = try await bench.client.ask(bench.things.make.name, body, id: id, subject: theirs)
                #expect(other.status == 422 && other.problem == "idempotency-key-reused")
                let nobody = try await bench.client.ask(bench.things.make.name, body, id: id)
                #expect(nobody.problem == "idempotency-key-reused")
                let dropped = try await bench.client.ask(bench.things.drop.name, body, id: id, subject: mine)
                #expect(dropped.problem == "idempotency-key-reused")
                #expect(try await bench.effects(of: thing) == 1)
                #expect(try await bench.count("SELECT count(*) FROM thing") == 1)
                let again = try await bench.client.ask(bench.things.make.name, body, id: id, subject: mine)
                #expect(again == first)
            }
        }
    }

    @Test("an id that comes again with another body is refused, and with the same body answered as at first")
    @Loop func otherBody() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                for type in [bench.things.make.name, bench.things.pile.name] {
                    let (thing, other, id) = (UUID.v7(), UUID.v7(), UUID())
                    let first = try await bench.client.ask(type, bench.body(thing), id: id)
                    let second = try await bench.client.ask(type, bench.body(other), id: id)
                    #expect(second.status == 422 && second.problem == "idempotency-key-reused")
                    #expect(try await bench.effects(of: other) == 0)
                    #expect(try await bench.client.ask(type, bench.body(thing), id: id) == first)
                }
            }
        }
    }

    @Test("a command whose transaction fails at something that no retry can mend is refused at once, where it says so")
    @Loop func refusedAtCommit() async throws {
        try await Bench.run { bench async throws in
            var isMeant = true
            bench.things.atEnd = { id, context in
                context.onCommitFailure(refuseWith: .idempotencyKeyReused) {
                    isMeant && $0.isUniqueViolation(of: "thing_pkey")
                }
                try await context.transaction().send(Statement("INSERT INTO thing (id) VALUES ($1)"), id)
            }
            try await bench.withWorker { _ async throws in
                let thing = UUID.v7()
                let refused = try await bench.client.ask(bench.things.make.name, bench.body(thing))
                #expect(refused.status == 422 && refused.problem == "idempotency-key-reused")
                #expect(bench.things.begun == 1)
                #expect(try await bench.effects(of: thing) == 0)

                isMeant = false
                let failed = try await bench.client.ask(bench.things.make.name, bench.body(thing))
                #expect(failed.status == 500 && bench.things.begun == 6, "any other failure is retried to the end")
            }
        }
    }

    @Test("one of a batch that is refused so spoils nothing for the others")
    @Loop func refusedInBatch() async throws {
        try await Bench.run { bench async throws in
            bench.things.atBatch = { batch in
                for member in batch.members {
                    member.context.onCommitFailure(refuseWith: .idempotencyKeyReused) {
                        $0.isUniqueViolation(of: "thing_pkey")
                    }
                    let insert = Statement("INSERT INTO thing (id) VALUES ($1)")
                    try await batch.transaction().send(insert, member.body.id)
                }
            }
            try await bench.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                let things = (0..<20).map { _ in UUID.v7() }
                _ = try await bench.client.ask(bench.things.pile.name, bench.body(things[7]))
                var requests: [String] = []
                for thing in things {
                    requests.append(try await bench.client.send(bench.things.pile.name, bench.body(thing)))
                }
                for (index, request) in requests.enumerated() {
                    let reply = try await bench.client.reply(to: request)
                    #expect(reply.status == (index == 7 ? 422 : 201))
                    #expect(try await bench.effects(of: things[index]) == 1)
                }
            }
        }
    }

    @Test("a command without an id, or with one that is no UUID, is refused: it could not happen just once")
    @Loop func withoutID() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                for id in [nil, "", "17", "not-a-uuid"] as [String?] {
                    let thing = UUID.v7()
                    let reply = try await bench.client.ask(bench.things.make.name, bench.body(thing)) {
                        $0.properties.messageID = id
                    }
                    #expect(reply.status == 400 && reply.problem == "malformed-request")
                    #expect(try await bench.effects(of: thing) == 0)
                }
            }
        }
    }

    @Test("a handler that looks up its stored reply first has no second effect outside the database")
    @Loop func storedReply() async throws {
        try await Bench.run { bench async throws in
            bench.things.checksInbox = true
            try await bench.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let first = try await bench.client.ask(bench.things.make.name, bench.body(thing), id: id)
                let second = try await bench.client.ask(bench.things.make.name, bench.body(thing), id: id)
                #expect(first == second && first.status == 201)
                #expect(bench.things.begun == 1)
                #expect(try await bench.effects(of: thing) == 1)
            }
        }
    }

    @Test("a worker killed in the middle of a transaction leaves nothing, and the next one does it all")
    @Loop func killedBeforeCommit() async throws {
        try await Bench.run { bench async throws in
            var isFirst = true
            bench.things.atEnd = { _, _ in
                guard isFirst else { return }
                isFirst = false
                bench.between.cut()
            }
            try await bench.withWorker { _ async throws in
                let thing = UUID.v7()
                let reply = try await bench.client.ask(bench.things.make.name, bench.body(thing))
                #expect(reply.status == 201)
                #expect(try await bench.effects(of: thing) == 1)
                #expect(try await eventually { bench.events(about: thing) == 1 })
            }
        }
    }
}
