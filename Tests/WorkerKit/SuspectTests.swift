import AMQP
import Contracts
import FoundationEssentials
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
}
