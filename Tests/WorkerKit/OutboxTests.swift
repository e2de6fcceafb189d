import AMQP
import BrokerSupport
import Contracts
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Events follow state", .timeLimit(.minutes(3))) struct OutboxTests {}
}

extension Workers.OutboxTests {
    @Test("a committed event is published as a CloudEvent whose id is the message's, and leaves the outbox")
    @Loop func published() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let thing = UUID.v7()
                _ = try await bench.client.ask(bench.things.make.name, bench.body(thing))
                #expect(try await eventually(within: .seconds(20)) { bench.events(about: thing) == 1 })
                let delivery = try #require(
                    bench.client.taken(from: bench.eventQueue).first {
                        bench.eventIDs(about: [thing]) == [$0.properties.messageID]
                    })
                let event: CloudEvent<ThingMade> = try EventEnvelope.decode(delivery.body).decode(ThingMade.self)
                #expect(event.data.id == thing)
                #expect(delivery.properties.messageID == event.id.text)
                #expect(delivery.properties.type == ThingMade.type && delivery.routingKey == ThingMade.type)
                #expect(delivery.properties.contentType == ContentType.cloudEvent)
                #expect(delivery.properties.isPersistent)
                #expect(delivery.properties.userID == bench.client.user)
                #expect(try await eventually { try await bench.outboxCount() == 0 })
            }
        }
    }

    @Test("a handler that refuses after it has emitted publishes nothing and stores nothing")
    @Loop func refused() async throws {
        try await Bench.run { bench async throws in
            bench.things.atEnd = { _, _ in throw Problem(.forbidden) }
            try await bench.withWorker { _ async throws in
                let thing = UUID.v7()
                #expect(try await bench.client.ask(bench.things.make.name, bench.body(thing)).status == 403)
                #expect(try await bench.effects(of: thing) == 0)
                try await bench.expectNoEvent(about: thing)
            }
        }
    }

    @Test("a handler that fails after it has emitted, until it is given up, publishes nothing")
    @Loop func failed() async throws {
        try await Bench.run { bench async throws in
            bench.things.atEnd = { _, _ in throw Passing() }
            try await bench.withWorker { _ async throws in
                let thing = UUID.v7()
                #expect(try await bench.client.ask(bench.things.make.name, bench.body(thing)).status == 500)
                #expect(try await bench.effects(of: thing) == 0)
                try await bench.expectNoEvent(about: thing)
            }
        }
    }

    @Test("an event that was committed while the broker was away is published once it is back")
    @Loop func brokerAway() async throws {
        try await Bench.run { bench async throws in
            var isCut = false
            bench.things.atEnd = { _, _ in
                guard !isCut else { return }
                isCut = true
                bench.broker.refuse()
            }
            try await bench.withWorker { worker async throws in
                let thing = UUID.v7()
                try await bench.client.send(bench.things.make.name, bench.body(thing))
                #expect(try await eventually(within: .seconds(20)) { try await bench.effects(of: thing) == 1 })
                #expect(try await eventually { worker.publisher.availability != .available })
                #expect(try await bench.outboxCount() == 1)
                #expect(bench.events(about: thing) == 0)
                bench.broker.resume()
                #expect(try await eventually(within: .seconds(30)) { bench.events(about: thing) >= 1 })
                #expect(try await eventually(within: .seconds(20)) { try await bench.outboxCount() == 0 })
                #expect(try await bench.effects(of: thing) == 1)
            }
        }
    }

    @Test("a relay that is cut off between taking and the confirm leaves the event in the outbox for another")
    @Loop func relayCut() async throws {
        try await Bench.run { bench async throws in
            let thing = UUID.v7()
            try await bench.withWorker { worker async throws in
                // The publish leaves, and its confirm never comes.
                bench.things.settled = { bench.broker.stall() }
                try await bench.client.send(bench.things.make.name, bench.body(thing))
                #expect(try await eventually(within: .seconds(20)) { worker.publisher.outstandingCount > 0 })
                #expect(try await bench.outboxCount() == 1)
                bench.things.settled = nil
                bench.broker.refuse()
                bench.broker.resume()
                #expect(try await eventually(within: .seconds(30)) { bench.events(about: thing) >= 1 })
                #expect(try await eventually(within: .seconds(30)) { try await bench.outboxCount() == 0 })
            }
        }
    }

    @Test("what a killed worker left behind, another publishes without being told")
    @Loop func leftBehind() async throws {
        try await Bench.run { bench async throws in
            let thing = UUID.v7()
            var plan = RunningWorker.Plan()
            plan.relays = false
            try await bench.withWorker(plan) { _ async throws in
                _ = try await bench.client.ask(bench.things.make.name, bench.body(thing))
            }
            #expect(try await bench.outboxCount() == 1)
            #expect(bench.events(about: thing) == 0)
            try await bench.withWorker { _ async throws in
                #expect(try await eventually(within: .seconds(30)) { bench.events(about: thing) == 1 })
            }
            #expect(try await bench.outboxCount() == 0)
        }
    }

    @Test("a worker that stops publishes what it has committed first")
    @Loop func atStop() async throws {
        try await Bench.run { bench async throws in
            var things: [UUID] = []
            try await bench.withWorker { worker async throws in
                for _ in 0..<20 {
                    things.append(UUID.v7())
                    try await bench.client.send(bench.things.make.name, bench.body(things[things.count - 1]))
                }
                #expect(try await eventually(within: .seconds(20)) { bench.things.begun == 20 })
                try await worker.stopConsuming()
            }
            #expect(try await bench.outboxCount() == 0)
            #expect(try await bench.count("SELECT count(*) FROM effect") == 20)
            #expect(try await eventually { things.allSatisfy { bench.events(about: $0) == 1 } })
        }
    }

    @Test("relays of several workers at once lose nothing and, all being well, double nothing")
    @Loop func severalRelays() async throws {
        try await Bench.run { bench async throws in
            var plan = RunningWorker.Plan()
            plan.relays = false
            let things = (0..<300).map { _ in UUID.v7() }
            try await bench.withWorker(plan) { _ async throws in
                for thing in things { try await bench.client.send(bench.things.make.name, bench.body(thing)) }
                #expect(try await eventually(within: .seconds(60)) { try await bench.outboxCount() == things.count })
            }
            try await bench.withWorker { _ async throws in
                try await bench.withWorker { _ async throws in
                    #expect(
                        try await eventually(within: .seconds(60)) {
                            bench.eventIDs(about: things).count >= things.count
                        })
                    #expect(try await eventually { try await bench.outboxCount() == 0 })
                }
            }
            let ids = bench.eventIDs(about: things)
            #expect(ids.count == things.count)
            #expect(Set(ids).count == things.count)
        }
    }

    @Test("an event that a follower's full queue refuses waits, and holds up no other")
    @Loop func refusedByFollower() async throws {
        try await Bench.run { bench async throws in
            let full = bench.queues.prefix + ".full"
            try await bench.queues.provisioner.perform([
                .queue(full, arguments: ["x-max-length": 1, "x-overflow": "reject-publish"]),
                .binding(queue: full, exchange: Exchange.events, key: Refused.type),
            ])
            bench.things.atEnd = { thing, context in
                if context.message.requestID == "refused" { context.emit(RefusedEvent(id: thing)) }
            }
            try await bench.withWorker { _ async throws in
                for _ in 0..<3 {
                    _ = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7())) {
                        $0.properties.headers[Header.requestId] = "refused"
                    }
                }
                #expect(
                    try await eventually(within: .seconds(20)) {
                        let (kept, waiting) = (try await bench.queues.depth(full), try await bench.outboxCount())
                        return kept == 1 && waiting == 2
                    })
                let others = (0..<5).map { _ in UUID.v7() }
                for other in others { _ = try await bench.client.ask(bench.things.make.name, bench.body(other)) }
                #expect(
                    try await eventually(within: .seconds(20)) { others.allSatisfy { bench.events(about: $0) == 1 } })
                #expect(try await eventually(within: .seconds(20)) { try await bench.outboxCount() == 2 })
                try await bench.queues.provisioner.perform([.deleteQueue(full)])
                #expect(try await eventually(within: .seconds(20)) { try await bench.outboxCount() == 0 })
                #expect(others.allSatisfy { bench.events(about: $0) == 1 })
            }
        }
    }
}

/// An event that only the test above publishes.
private enum Refused {
    static let type = "kitrefused." + String(UInt64.random(in: .min ... .max), radix: 36)
}

private struct RefusedEvent: DomainEvent {
    let id: UUID

    static var type: String { Refused.type }
    static let service = ServiceName.post
    var subject: UUID { id }
    static let schema = Schema<RefusedEvent>.object(
        "RefusedEvent", unknownFields: .ignored, field("id", \.id, .uuid), make: RefusedEvent.init)
}
