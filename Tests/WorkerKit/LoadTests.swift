import AMQP
import Contracts
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Load is shed, not collected", .timeLimit(.minutes(3))) struct LoadTests {}
}

extension Workers.LoadTests {
    @Test("a worker has no more in hand than its prefetch, however much waits")
    @Loop func prefetch() async throws {
        try await Bench.run { bench async throws in
            let gate = Gate()
            bench.things.atBegin = { _, _ in await gate.pass() }
            var plan = RunningWorker.Plan()
            plan.prefetch = 3
            try await bench.withWorker(plan) { _ async throws in
                for _ in 0..<20 { try await bench.client.send(bench.things.make.name, bench.body(UUID.v7())) }
                #expect(try await eventually(within: .seconds(20)) { bench.things.inHand == 3 })
                #expect(try await eventually { try await bench.queues.depth(bench.queues.commands) == 17 })
                gate.open()
                #expect(try await eventually(within: .seconds(20)) { bench.things.begun == 20 })
                #expect(bench.things.mostInHand == 3)
            }
        }
    }

    @Test("a query and a credential past their deadline are dropped, a command is carried out")
    @Loop func deadlines() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                func late(_ message: inout OutgoingMessage) {
                    message.properties.headers[Header.deadline] = .int64(Timestamp.now().milliseconds - 1)
                }
                let late1 = try await bench.client.send(
                    bench.things.look.name, bench.body(UUID.v7()), change: late)
                let late2 = try await bench.client.send(
                    bench.things.enter.name, bench.body(UUID.v7()), change: late)
                let thing = UUID.v7()
                let command = try await bench.client.ask(bench.things.make.name, bench.body(thing), change: late)
                #expect(command.status == 201)
                let timely = try await bench.client.ask(bench.things.look.name, bench.body(UUID.v7())) {
                    $0.properties.headers[Header.deadline] = .int64(Timestamp.now().milliseconds + 60_000)
                }
                #expect(timely.status == 200)
                #expect(bench.things.begun == 2)
                #expect(bench.client.replies(to: late1).isEmpty && bench.client.replies(to: late2).isEmpty)
            }
            #expect(try await bench.queues.depth(bench.queues.queries) == 0)
        }
    }

    @Test("a command and its event take two round trips to the database, a repeated one a few more, a query none")
    @Loop func roundTrips() async throws {
        try await Bench.run { bench async throws in
            var plan = RunningWorker.Plan()
            plan.connections = 1
            plan.relays = false
            try await bench.withWorker(plan) { _ async throws in
                let (name, other) = (bench.things.make.name, bench.things.drop.name)
                // The first of each prepares its statements.
                for type in [name, other, other] {
                    _ = try await bench.client.ask(type, bench.body(UUID.v7()))
                }
                let (thing, id) = (UUID.v7(), UUID())
                #expect(try await trips(bench) { try await bench.client.ask(name, bench.body(thing), id: id) } == 2)
                #expect(try await trips(bench) { try await bench.client.ask(name, bench.body(thing), id: id) } <= 5)
                #expect(try await trips(bench) { try await bench.client.ask(other, bench.body(thing)) } == 2)
                // What is remembered of a refusal travels with the rollback, but over another connection; here is one.
                #expect(try await trips(bench) { try await bench.client.ask(other, bench.body(UUID.v7())) } <= 3)
                #expect(
                    try await trips(bench) { try await bench.client.ask(bench.things.look.name, bench.body(thing)) }
                        == 0)
            }
        }
    }

    @Loop private func trips(_ bench: Bench, _ body: @Loop () async throws -> Reply) async throws -> Int {
        let before = bench.between.exchangeCount
        _ = try await body()
        return bench.between.exchangeCount - before
    }
}
