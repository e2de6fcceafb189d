import AMQP
import Contracts
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Load limits of a worker", .timeLimit(.minutes(3))) struct LoadTests {}
}

extension Workers.LoadTests {
    @Test("a worker never has more deliveries in flight than its prefetch")
    @Loop func prefetch() async throws {
        try await WorkerFixture.run { fixture async throws in
            let barrier = Barrier()
            fixture.service.onBegin = { _, _ in await barrier.pass() }
            var plan = RunningWorker.Plan()
            plan.prefetch = 3
            try await fixture.withWorker(plan) { _ async throws in
                for _ in 0..<20 { try await fixture.client.send(fixture.service.create.name, fixture.body(UUID.v7())) }
                #expect(try await eventually(within: .seconds(20)) { fixture.service.inFlight == 3 })
                #expect(try await eventually { try await fixture.queues.depth(fixture.queues.commands) == 17 })
                barrier.open()
                #expect(try await eventually(within: .seconds(20)) { fixture.service.begun == 20 })
                #expect(fixture.service.mostInFlight == 3)
            }
        }
    }

    @Test("an expired query or credential is dropped, an expired command is carried out")
    @Loop func deadlines() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                func late(_ message: inout OutgoingMessage) {
                    message.properties.headers[Header.deadline] = .int64(Timestamp.now().milliseconds - 1)
                }
                let late1 = try await fixture.client.send(
                    fixture.service.read.name, fixture.body(UUID.v7()), change: late)
                let late2 = try await fixture.client.send(
                    fixture.service.login.name, fixture.body(UUID.v7()), change: late)
                let thing = UUID.v7()
                let command = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(thing), change: late)
                #expect(command.status == 201)
                let timely = try await fixture.client.ask(fixture.service.read.name, fixture.body(UUID.v7())) {
                    $0.properties.headers[Header.deadline] = .int64(Timestamp.now().milliseconds + 60_000)
                }
                #expect(timely.status == 200)
                #expect(fixture.service.begun == 2)
                #expect(fixture.client.replies(to: late1).isEmpty && fixture.client.replies(to: late2).isEmpty)
            }
            #expect(try await fixture.queues.depth(fixture.queues.queries) == 0)
        }
    }

    @Test("a command with its event takes two round trips to the database, a redelivery at most five, a query none")
    @Loop func roundTrips() async throws {
        try await WorkerFixture.run { fixture async throws in
            var plan = RunningWorker.Plan()
            plan.connections = 1
            plan.relays = false
            try await fixture.withWorker(plan) { _ async throws in
                let (name, other) = (fixture.service.create.name, fixture.service.delete.name)
                // The first message of each type prepares its statements.
                for type in [name, other, other] {
                    _ = try await fixture.client.ask(type, fixture.body(UUID.v7()))
                }
                let (thing, id) = (UUID.v7(), UUID())
                #expect(
                    try await trips(fixture) { try await fixture.client.ask(name, fixture.body(thing), id: id) } == 2)
                #expect(
                    try await trips(fixture) { try await fixture.client.ask(name, fixture.body(thing), id: id) } <= 5)
                #expect(try await trips(fixture) { try await fixture.client.ask(other, fixture.body(thing)) } == 2)
                // The pool has one connection, so the refusal's row travels with the rollback.
                #expect(try await trips(fixture) { try await fixture.client.ask(other, fixture.body(UUID.v7())) } <= 3)
                #expect(
                    try await trips(fixture) {
                        try await fixture.client.ask(fixture.service.read.name, fixture.body(thing))
                    }
                        == 0)
            }
        }
    }

    @Loop private func trips(_ fixture: WorkerFixture, _ body: @Loop () async throws -> Reply) async throws -> Int {
        let before = fixture.databaseProxy.exchangeCount
        _ = try await body()
        return fixture.databaseProxy.exchangeCount - before
    }
}
