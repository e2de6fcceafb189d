import Contracts
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Batches of commands", .timeLimit(.minutes(3))) struct BatchTests {}
}

extension Workers.BatchTests {
    /// Sends one command whose batch waits at the barrier, and others that arrive meanwhile.
    ///
    /// - Returns: the entities' ids.
    @Loop private func pile(
        _ others: Int, _ fixture: WorkerFixture, ids: [UUID] = [], _ requests: inout [String], _ barrier: Barrier
    ) async throws -> [UUID] {
        var things = [UUID.v7()]
        let pile = fixture.service.createBatched.name
        requests.append(try await fixture.client.send(pile, fixture.body(things[0])))
        #expect(try await eventually(within: .seconds(20)) { barrier.arrived == 1 })
        for index in 0..<others {
            things.append(UUID.v7())
            let id = index < ids.count ? ids[index] : UUID.v7()
            requests.append(try await fixture.client.send(pile, fixture.body(things[index + 1]), id: id))
        }
        // The queue is empty when the worker has all of them.
        #expect(
            try await eventually(within: .seconds(20)) { try await fixture.queues.depth(fixture.queues.commands) == 0 })
        barrier.open()
        return things
    }

    @Test("the members of a batch share a transaction, and each has its own reply, effect and event")
    @Loop func shared() async throws {
        try await WorkerFixture.run { fixture async throws in
            let barrier = Barrier()
            var sizes: [Int] = []
            fixture.service.onBatch = { batch in
                sizes.append(batch.members.count)
                await barrier.pass()
            }
            try await fixture.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                var requests: [String] = []
                let things = try await pile(20, fixture, &requests, barrier)
                var replies: Set<[UInt8]> = []
                for request in requests {
                    let reply = try await fixture.client.reply(to: request)
                    #expect(reply.status == 201)
                    replies.insert(reply.body)
                }
                #expect(replies.count == 21)
                #expect(sizes == [1, 20])
                #expect(try await fixture.count("SELECT count(DISTINCT xmin::text) FROM effect") == 2)
                #expect(try await fixture.count("SELECT count(*) FROM inbox WHERE status = 201") == 21)
                for thing in things { #expect(try await fixture.effects(of: thing) == 1) }
                #expect(
                    try await eventually(within: .seconds(20)) { things.allSatisfy { fixture.events(about: $0) == 1 } })
            }
        }
    }

    @Test("a redelivered member of a batch gets its stored reply, and the other members are carried out")
    @Loop func repeated() async throws {
        try await WorkerFixture.run { fixture async throws in
            let barrier = Barrier()
            try await fixture.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                let (thing, id) = (UUID.v7(), UUID.v7())
                let first = try await fixture.client.ask(
                    fixture.service.createBatched.name, fixture.body(thing), id: id)
                fixture.service.onBatch = { _ in await barrier.pass() }
                let held = try await fixture.client.send(fixture.service.createBatched.name, fixture.body(UUID.v7()))
                #expect(try await eventually(within: .seconds(20)) { barrier.arrived == 1 })
                let again = try await fixture.client.send(
                    fixture.service.createBatched.name, fixture.body(thing), id: id)
                var others: [UUID: String] = [:]
                for _ in 0..<5 {
                    let other = UUID.v7()
                    others[other] = try await fixture.client.send(
                        fixture.service.createBatched.name, fixture.body(other))
                }
                #expect(
                    try await eventually(within: .seconds(20)) {
                        try await fixture.queues.depth(fixture.queues.commands) == 0
                    })
                barrier.open()
                #expect(try await fixture.client.reply(to: held).status == 201)
                #expect(try await fixture.client.reply(to: again) == first)
                #expect(try await fixture.effects(of: thing) == 1)
                for (other, request) in others {
                    #expect(try await fixture.client.reply(to: request).status == 201)
                    #expect(try await fixture.effects(of: other) == 1)
                }
            }
        }
    }

    @Test(
        "a refused and a failed member of a batch are refused and retried alone, and the other members are carried out")
    @Loop func failing() async throws {
        try await WorkerFixture.run { fixture async throws in
            let barrier = Barrier()
            let (refused, failed) = (UUID.v7(), UUID.v7())
            var failures = 0
            fixture.service.onBatch = { batch in
                await barrier.pass()
                for member in batch.members {
                    if member.context.message.id == refused { throw Problem(.notFound) }
                    if member.context.message.id == failed, member.context.message.attempt == 0 {
                        failures += 1
                        throw TransientFailure()
                    }
                }
            }
            try await fixture.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                var requests: [String] = []
                let things = try await pile(6, fixture, ids: [refused, failed], &requests, barrier)
                var statuses: [Int] = []
                for request in requests { statuses.append(try await fixture.client.reply(to: request).status) }
                #expect(statuses == [201, 404, 201, 201, 201, 201, 201])
                // Once by itself, and at least once with others.
                #expect(failures >= 1)
                #expect(try await fixture.effects(of: things[1]) == 0)
                for thing in things where thing != things[1] { #expect(try await fixture.effects(of: thing) == 1) }
                #expect(fixture.events(about: things[1]) == 0)
            }
        }
    }
}
