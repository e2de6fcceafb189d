import AMQP
import Contracts
import FaultProxy
import FoundationEssentials
import Logging
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Prefetch, deadlines and round trips of a worker", .timeLimit(.minutes(3))) struct LoadTests {}
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

    @Test("a query whose deadline is long past by the worker's clock is answered if the broker has not expired it")
    @Loop func clocks() async throws {
        try await WorkerFixture.run { fixture async throws in
            let log = CapturedLog()
            var plan = RunningWorker.Plan()
            plan.log = log.logger(.info)
            try await fixture.withWorker(plan) { _ async throws in
                // The worker's clock is 100 s ahead of the sender's clock.
                for _ in 0..<2 {
                    let reply = try await fixture.client.ask(fixture.service.read.name, fixture.body(UUID.v7())) {
                        let sent = Timestamp.now().milliseconds - 100_000
                        $0.properties.timestamp = UInt64(sent / 1000)
                        $0.properties.expiration = 5_000
                        $0.properties.headers[Header.deadline] = .int64(sent + 5_000)
                    }
                    #expect(reply.status == 200)
                }
            }
            let lines = log.events.filter { $0.message == "this clock differs from a sender's clock" }
            #expect(lines.count == 1)
            #expect(lines.first.map { "\($0.metadata["by"] ?? "")".hasPrefix("9") } == true)
        }
    }

    @Test("an expired query or credential is dropped without a reply, and an expired command is carried out")
    @Loop func deadlines() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                func expire(_ message: inout OutgoingMessage) {
                    message.properties.expiration = nil
                    message.properties.headers[Header.deadline] = .int64(Timestamp.now().milliseconds - 61_000)
                }
                let query = try await fixture.client.send(
                    fixture.service.read.name, fixture.body(UUID.v7()), change: expire)
                let credential = try await fixture.client.send(
                    fixture.service.login.name, fixture.body(UUID.v7()), change: expire)
                let thing = UUID.v7()
                let command = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(thing), change: expire)
                #expect(command.status == 201)
                let timely = try await fixture.client.ask(fixture.service.read.name, fixture.body(UUID.v7())) {
                    $0.properties.headers[Header.deadline] = .int64(Timestamp.now().milliseconds + 60_000)
                }
                #expect(timely.status == 200)
                #expect(fixture.service.begun == 2)
                #expect(fixture.client.replies(to: query).isEmpty && fixture.client.replies(to: credential).isEmpty)
            }
            #expect(try await fixture.queues.depth(fixture.queues.queries) == 0)
        }
    }

    @Test(
        "a command takes 2 round trips to the database, a redelivery at most 5, a refusal at most 3, and a query none")
    @Loop func roundTrips() async throws {
        try await WorkerFixture.run { fixture async throws in
            var plan = RunningWorker.Plan()
            plan.connections = 1
            plan.relays = false
            try await fixture.withWorker(plan) { _ async throws in
                let (create, delete) = (fixture.service.create.name, fixture.service.delete.name)
                // These messages prepare the statements, so that the measured messages do not prepare them.
                for type in [create, delete, delete] {
                    _ = try await fixture.client.ask(type, fixture.body(UUID.v7()))
                }
                let (thing, id) = (UUID.v7(), UUID())
                #expect(
                    try await trips(fixture) { try await fixture.client.ask(create, fixture.body(thing), id: id) } == 2)
                #expect(
                    try await trips(fixture) { try await fixture.client.ask(create, fixture.body(thing), id: id) } <= 5)
                #expect(try await trips(fixture) { try await fixture.client.ask(delete, fixture.body(thing)) } == 2)
                // The delete, the rollback, and the insert of the refusal's inbox row. The insert waits for the
                // rollback, because the pool has one connection.
                #expect(try await trips(fixture) { try await fixture.client.ask(delete, fixture.body(UUID.v7())) } <= 3)
                #expect(
                    try await trips(fixture) {
                        try await fixture.client.ask(fixture.service.read.name, fixture.body(thing))
                    }
                        == 0)
            }
        }
    }

    /// Returns the number of round trips to the database while the body runs.
    @Loop private func trips(_ fixture: WorkerFixture, _ body: @Loop () async throws -> Reply) async throws -> Int {
        let before = fixture.databaseProxy.exchangeCount
        _ = try await body()
        return fixture.databaseProxy.exchangeCount - before
    }
}
