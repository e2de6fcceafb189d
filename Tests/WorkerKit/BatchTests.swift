import Contracts
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Commands that are in hand together", .timeLimit(.minutes(3))) struct BatchTests {}
}

extension Workers.BatchTests {
    /// Sends one command that holds the first batch back, and others that come meanwhile; gives the ids of all things.
    @Loop private func pile(
        _ others: Int, _ bench: Bench, ids: [UUID] = [], _ requests: inout [String], _ gate: Gate
    ) async throws -> [UUID] {
        var things = [UUID.v7()]
        let pile = bench.things.pile.name
        requests.append(try await bench.client.send(pile, bench.body(things[0])))
        #expect(try await eventually(within: .seconds(20)) { gate.arrived == 1 })
        for index in 0..<others {
            things.append(UUID.v7())
            let id = index < ids.count ? ids[index] : UUID.v7()
            requests.append(try await bench.client.send(pile, bench.body(things[index + 1]), id: id))
        }
        // The queue is empty once all of them are in the worker's hands.
        #expect(try await eventually(within: .seconds(20)) { try await bench.queues.depth(bench.queues.commands) == 0 })
        gate.open()
        return things
    }

    @Test("share a transaction, and each has its own reply, effect and event")
    @Loop func shared() async throws {
        try await Bench.run { bench async throws in
            let gate = Gate()
            var sizes: [Int] = []
            bench.things.atBatch = { batch in
                sizes.append(batch.members.count)
                await gate.pass()
            }
            try await bench.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                var requests: [String] = []
                let things = try await pile(20, bench, &requests, gate)
                var replies: Set<[UInt8]> = []
                for request in requests {
                    let reply = try await bench.client.reply(to: request)
                    #expect(reply.status == 201)
                    replies.insert(reply.body)
                }
                #expect(replies.count == 21)
                #expect(sizes == [1, 20])
                #expect(try await bench.count("SELECT count(DISTINCT xmin::text) FROM effect") == 2)
                #expect(try await bench.count("SELECT count(*) FROM inbox WHERE status = 201") == 21)
                for thing in things { #expect(try await bench.effects(of: thing) == 1) }
                #expect(
                    try await eventually(within: .seconds(20)) { things.allSatisfy { bench.events(about: $0) == 1 } })
            }
        }
    }

    @Test("with one that was carried out before: it gets its first reply, and the others are carried out")
    @Loop func repeated() async throws {
        try await Bench.run { bench async throws in
            let gate = Gate()
            try await bench.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                let (thing, id) = (UUID.v7(), UUID.v7())
                let first = try await bench.client.ask(bench.things.pile.name, bench.body(thing), id: id)
                bench.things.atBatch = { _ in await gate.pass() }
                let held = try await bench.client.send(bench.things.pile.name, bench.body(UUID.v7()))
                #expect(try await eventually(within: .seconds(20)) { gate.arrived == 1 })
                let again = try await bench.client.send(bench.things.pile.name, bench.body(thing), id: id)
                var others: [UUID: String] = [:]
                for _ in 0..<5 {
                    let other = UUID.v7()
                    others[other] = try await bench.client.send(bench.things.pile.name, bench.body(other))
                }
                #expect(
                    try await eventually(within: .seconds(20)) {
                        try await bench.queues.depth(bench.queues.commands) == 0
                    })
                gate.open()
                #expect(try await bench.client.reply(to: held).status == 201)
                #expect(try await bench.client.reply(to: again) == first)
                #expect(try await bench.effects(of: thing) == 1)
                for (other, request) in others {
                    #expect(try await bench.client.reply(to: request).status == 201)
                    #expect(try await bench.effects(of: other) == 1)
                }
            }
        }
    }

    @Test("with one that fails: it alone is refused, or put off, and the others are carried out")
    @Loop func failing() async throws {
        try await Bench.run { bench async throws in
            let gate = Gate()
            let (refused, failed) = (UUID.v7(), UUID.v7())
            var failures = 0
            bench.things.atBatch = { batch in
                await gate.pass()
                for member in batch.members {
                    if member.context.message.id == refused { throw Problem(.notFound) }
                    if member.context.message.id == failed, member.context.message.attempt == 0 {
                        failures += 1
                        throw Passing()
                    }
                }
            }
            try await bench.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                var requests: [String] = []
                let things = try await pile(6, bench, ids: [refused, failed], &requests, gate)
                var statuses: [Int] = []
                for request in requests { statuses.append(try await bench.client.reply(to: request).status) }
                #expect(statuses == [201, 404, 201, 201, 201, 201, 201])
                // Once by itself, and once or more with others.
                #expect(failures >= 1)
                #expect(try await bench.effects(of: things[1]) == 0)
                for thing in things where thing != things[1] { #expect(try await bench.effects(of: thing) == 1) }
                #expect(bench.events(about: things[1]) == 0)
            }
        }
    }
}
