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
    @Suite("Messages that make workers crash", .timeLimit(.minutes(3))) struct SuspectTests {}
}

extension Workers.SuspectTests {
    /// Sends ten commands and, among them, one whose handler ends the worker's connection to the broker. For the
    /// broker, this is the same as a crash of the worker.
    @Test("a command that makes its worker crash becomes a dead letter, and the commands around it are carried out")
    @Loop func poison() async throws {
        var plan = WorkerFixture.Plan()
        plan.deliveryLimit = 6
        try await WorkerFixture.run(plan) { fixture async throws in
            let poison = (thing: UUID.v7(), id: UUID.v7())
            var crashes = 0
            fixture.service.onBegin = { thing, _ in
                // The other commands take longer, so that none of them ends before the crash.
                if thing != poison.thing { return try await Loop.sleep(for: .milliseconds(200)) }
                crashes += 1
                fixture.brokerProxy.cut()
                try await Loop.sleep(for: .milliseconds(50))
                throw TransientFailure()
            }
            var others: [UUID: String] = [:]
            for index in 0..<11 {
                if index == 5 {
                    try await fixture.client.send(
                        fixture.service.create.name, fixture.body(poison.thing), id: poison.id)
                } else {
                    let thing = UUID.v7()
                    others[thing] = try await fixture.client.send(fixture.service.create.name, fixture.body(thing))
                }
            }
            try await fixture.withWorker { _ async throws in
                let dead = Queue.dead(of: fixture.queues.commands)
                let isDead = try await eventually(within: .seconds(120)) {
                    fixture.client.taken(from: dead).contains { $0.properties.messageID == poison.id.text }
                }
                #expect(isDead)
                for (thing, request) in others {
                    #expect(try await fixture.client.reply(to: request).status == 201)
                    #expect(try await fixture.effects(of: thing) == 1)
                }
                #expect(fixture.client.taken(from: dead).count == 1)
                #expect(crashes <= 21, "\(crashes)")
            }
        }
    }

    /// Sends a command that was delivered three times before.
    @Loop private func sendSuspect(_ fixture: WorkerFixture, _ thing: UUID) async throws -> String {
        try await fixture.client.send(fixture.service.create.name, fixture.body(thing)) {
            $0.exchange = Exchange.requeue
            $0.routingKey = "1s.\(fixture.queues.commands)"
            $0.properties.headers[Header.deliveries] = 3
        }
    }

    @Test("a worker that stops while it handles a suspect alone finishes it, and leaves other messages in the queue")
    @Loop func stopping() async throws {
        try await WorkerFixture.run { fixture async throws in
            let (suspect, other) = (UUID.v7(), UUID.v7())
            let gate = Barrier()
            fixture.service.onBegin = { thing, _ in if thing == suspect { await gate.pass() } }
            var requests: [String] = []
            try await fixture.withWorker { _ async throws in
                requests.append(try await sendSuspect(fixture, suspect))
                #expect(try await eventually(within: .seconds(20)) { gate.arrived == 1 })
                requests.append(try await fixture.client.send(fixture.service.create.name, fixture.body(other)))
                // The body ends, so the worker stops. The suspect ends during the stop.
                Loop.perform { gate.open() }
            }
            #expect(try await fixture.client.reply(to: requests[0]).status == 201)
            #expect(fixture.client.replies(to: requests[1]).isEmpty)
            try await fixture.withWorker { _ async throws in
                #expect(try await fixture.client.reply(to: requests[1]).status == 201)
                for thing in [suspect, other] { #expect(try await fixture.effects(of: thing) == 1) }
            }
        }
    }

    @Test("a suspect that needs a missing database is delayed, so that the worker takes other messages meanwhile")
    @Loop func outage() async throws {
        try await WorkerFixture.run { fixture async throws in
            let suspect = UUID.v7()
            try await fixture.withWorker { worker async throws in
                fixture.databaseProxy.refuse()
                #expect(try await eventually(within: .seconds(20)) { worker.pool.availability == .unavailable })
                let request = try await sendSuspect(fixture, suspect)
                let begun = fixture.service.begun
                #expect(
                    try await fixture.client.ask(fixture.service.login.name, fixture.body(.v7())).status == 204)
                #expect(fixture.service.begun > begun)
                fixture.databaseProxy.resume()
                #expect(try await fixture.client.reply(to: request).status == 201)
                #expect(try await fixture.effects(of: suspect) == 1)
                #expect(fixture.client.taken(from: Queue.dead(of: fixture.queues.commands)).isEmpty)
            }
        }
    }
}
