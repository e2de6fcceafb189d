import Contracts
import DatabaseSupport
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
    /// Sends a command whose batch waits at the barrier, and then other commands, which form the next batch. Then opens
    /// the barrier.
    ///
    /// - Parameters:
    ///   - others: the number of the other commands.
    ///   - ids: the message ids of the first of the other commands.
    ///   - requests: receives the correlation ids of all commands.
    /// - Returns: the ids of the entities.
    @Loop private func sendDuringBatch(
        _ others: Int, _ fixture: WorkerFixture, ids: [UUID] = [], _ requests: inout [String], _ barrier: Barrier
    ) async throws -> [UUID] {
        var things = [UUID.v7()]
        let type = fixture.service.createBatched.name
        requests.append(try await fixture.client.send(type, fixture.body(things[0])))
        #expect(try await eventually(within: .seconds(20)) { barrier.arrived == 1 })
        for index in 0..<others {
            things.append(UUID.v7())
            let id = index < ids.count ? ids[index] : UUID.v7()
            requests.append(try await fixture.client.send(type, fixture.body(things[index + 1]), id: id))
        }
        // When the queue is empty, the worker has received all commands.
        #expect(
            try await eventually(within: .seconds(20)) { try await fixture.queues.depth(fixture.queues.commands) == 0 })
        barrier.open()
        return things
    }

    @Test("the commands of a batch share a transaction, and each command has its own reply, effect and event")
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
                let things = try await sendDuringBatch(20, fixture, &requests, barrier)
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

    @Test("a redelivered command in a batch gets its stored reply, and the other commands are carried out")
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

    @Test("a batch whose handler returns too few replies is rolled back, and its commands are carried out one by one")
    @Loop func tooFewReplies() async throws {
        try await WorkerFixture.run { fixture async throws in
            let barrier = Barrier()
            fixture.service.onBatch = { _ in await barrier.pass() }
            var shortBatches = 0
            fixture.service.missingReplies = { batch in
                guard batch.members.count > 1 else { return 0 }
                shortBatches += 1
                return 1
            }
            try await fixture.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                var requests: [String] = []
                let things = try await sendDuringBatch(3, fixture, &requests, barrier)
                for request in requests { #expect(try await fixture.client.reply(to: request).status == 201) }
                #expect(shortBatches == 1)
                for thing in things { #expect(try await fixture.effects(of: thing) == 1) }
            }
        }
    }

    @Test("a batch with a refused and a failing command refuses the one, retries the other and carries out the rest")
    @Loop func failing() async throws {
        try await WorkerFixture.run { fixture async throws in
            let barrier = Barrier()
            let (refused, failed) = (UUID.v7(), UUID.v7())
            var failures = 0
            fixture.service.onBatch = { batch in
                await barrier.pass()
                for member in batch.members {
                    if member.context.message.id == refused { throw Problem(.notFound) }
                    if member.context.message.id == failed, member.context.message.failures == 0 {
                        failures += 1
                        throw TransientFailure()
                    }
                }
            }
            try await fixture.withWorker(RunningWorker.Plan(prefetch: 32)) { _ async throws in
                var requests: [String] = []
                let things = try await sendDuringBatch(6, fixture, ids: [refused, failed], &requests, barrier)
                var statuses: [Int] = []
                for request in requests { statuses.append(try await fixture.client.reply(to: request).status) }
                #expect(statuses == [201, 404, 201, 201, 201, 201, 201])
                // The command fails at least in the batch that contains no other command.
                #expect(failures >= 1)
                #expect(try await fixture.effects(of: things[1]) == 0)
                for thing in things where thing != things[1] { #expect(try await fixture.effects(of: thing) == 1) }
                #expect(fixture.events(about: things[1]) == 0)
            }
        }
    }
}

extension Workers.BatchTests {
    /// Carries out the messages 1, 2 and so on, each 10 ms after the one before it, and returns the batches.
    @Loop private func batches(of count: Int, limit: Int, gatheringTime: Duration) async throws -> [[Int]] {
        var batches: [[Int]] = []
        try await TestDatabase.withDatabase { url in
            try await TestDatabase.withPool(url, size: 1) { pool in
                let environment = HandlerEnvironment(database: pool, log: .quiet)
                let batcher = Batcher<Int>(kind: .event, limit: limit, gatheringTime: gatheringTime) { batch in
                    batches.append(batch.members.map(\.body))
                    return batch.members.map { _ in nil }
                }
                try await withThrowingTaskGroup { group in
                    for number in 1...count {
                        group.addTask {
                            _ = await batcher.carryOut(number, IncomingMessage(type: "test", body: []), environment)
                        }
                        try await Loop.sleep(for: .milliseconds(10))
                    }
                    try await group.waitForAll()
                }
            }
        }
        return batches
    }

    @Test("messages that arrive within the gathering time form one batch")
    @Loop func gathering() async throws {
        #expect(try await batches(of: 3, limit: 10, gatheringTime: .seconds(2)) == [[1, 2, 3]])
    }

    @Test("a full batch does not wait until the gathering time is over")
    @Loop func fullBatch() async throws {
        let start = ContinuousClock.now
        #expect(try await batches(of: 4, limit: 2, gatheringTime: .seconds(60)) == [[1, 2], [3, 4]])
        #expect(.now - start < .seconds(30))
    }
}
