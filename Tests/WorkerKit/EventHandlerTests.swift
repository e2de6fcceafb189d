import AMQP
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import Contracts
@testable import WorkerKit

/// An event that another service publishes; `Tag` keeps one test's from another's.
struct Heard<Tag: EventTag>: DomainEvent {
    let id: UUID

    static var type: String { Tag.type }
    static var service: ServiceName { .media }
    var subject: UUID { id }
    static var schema: Schema<Heard<Tag>> {
        .object("Heard", unknownFields: .ignored, field("id", \.id, .uuid), make: Heard.init)
    }
}

protocol EventTag: Sendable, Hashable {
    static var type: String { get }
}

private func fresh() -> String { "kitheard." + String(UInt64.random(in: .min ... .max), radix: 36) }

extension Workers {
    @Suite("An event that a service follows", .timeLimit(.minutes(3))) struct EventHandlerTests {}
}

extension Workers.EventHandlerTests {
    private enum Retried: EventTag { static let type = fresh() }
    private enum Undecodable: EventTag { static let type = fresh() }
    private enum Problematic: EventTag { static let type = fresh() }
    private enum Subjected: EventTag { static let type = fresh() }
    private enum Parted: EventTag { static let type = fresh() }

    /// Sends an event as its service would.
    @Loop private func send<Tag>(
        _ event: Heard<Tag>, _ bench: Bench, body: String? = nil, change: (inout OutgoingMessage) -> Void = { _ in }
    ) async throws {
        let text = body ?? String(decoding: CloudEvent(data: event).jsonBytes(), as: UTF8.self)
        try await bench.client.send(Tag.type, text) { message in
            message.exchange = Exchange.events
            message.properties.contentType = ContentType.cloudEvent
            message.properties.replyTo = nil
            change(&message)
        }
    }

    @Test("is handled again where its handler failed, until it succeeds")
    @Loop func retried() async throws {
        var plan = Bench.Plan()
        plan.eventTypes = [Retried.type]
        try await Bench.run(plan) { bench async throws in
            var attempts: [Int] = []
            var settled = 0
            bench.extraHandlers = [
                .event(Heard<Retried>.self, afterCommit: { _ in settled += 1 }) { _, context in
                    attempts.append(context.message.attempt)
                    if attempts.count < 3 { throw Passing() }
                }
            ]
            try await bench.withWorker { _ async throws in
                try await send(Heard<Retried>(id: UUID()), bench)
                #expect(try await eventually(within: .seconds(20)) { settled == 1 })
                #expect(attempts == [0, 1, 2])
            }
            #expect(try await bench.queues.depth(bench.queues.events) == 0)
        }
    }

    @Test("that does not decode goes to the dead-letter queue at once, and its neighbours are not held up")
    @Loop func undecodable() async throws {
        var plan = Bench.Plan()
        plan.eventTypes = [Undecodable.type]
        try await Bench.run(plan) { bench async throws in
            var handled: [UUID] = []
            bench.extraHandlers = [.event(Heard<Undecodable>.self) { event, _ in handled.append(event.data.id) }]
            var one = RunningWorker.Plan()
            one.prefetch = 1
            try await bench.withWorker(one) { _ async throws in
                let (before, after) = (Heard<Undecodable>(id: UUID()), Heard<Undecodable>(id: UUID()))
                try await send(before, bench)
                let broken = ["no JSON", "{}", #"{"specversion":"1.0"}"#, "", "\u{0}"]
                for body in broken { try await send(before, bench, body: body) }
                try await send(after, bench)
                #expect(try await eventually(within: .seconds(20)) { handled == [before.id, after.id] })
                let dead = Queue.dead(of: bench.queues.events)
                #expect(
                    try await eventually(within: .seconds(20)) { bench.client.taken(from: dead).count == broken.count })
                #expect(bench.client.taken(from: dead).allSatisfy { $0.properties.headers[Header.attempt] == nil })
            }
        }
    }

    @Test("is retried and kept where its handler throws a problem: nobody is there to be told")
    @Loop func problem() async throws {
        var plan = Bench.Plan()
        plan.eventTypes = [Problematic.type]
        try await Bench.run(plan) { bench async throws in
            var handled = 0
            bench.extraHandlers = [
                .event(Heard<Problematic>.self) { _, _ in
                    handled += 1
                    throw Problem(.unavailable)
                }
            ]
            try await bench.withWorker { _ async throws in
                try await send(Heard<Problematic>(id: UUID()), bench)
                let dead = Queue.dead(of: bench.queues.events)
                #expect(try await eventually(within: .seconds(20)) { bench.client.taken(from: dead).count == 1 })
                #expect(handled == 5)
            }
        }
    }

    @Test("is not lost for a header that only requests have")
    @Loop func subject() async throws {
        var plan = Bench.Plan()
        plan.eventTypes = [Subjected.type]
        try await Bench.run(plan) { bench async throws in
            var callers: [Caller?] = []
            bench.extraHandlers = [
                .event(Heard<Subjected>.self) { _, context in callers.append(context.message.caller) }
            ]
            var worker = RunningWorker.Plan()
            worker.trusted = ["ingress"]
            try await bench.withWorker(worker) { _ async throws in
                try await send(Heard<Subjected>(id: UUID()), bench) { message in
                    message.properties.headers[Header.subject] = .string(UUID().text)
                    message.properties.headers[Header.deadline] = 1
                }
                #expect(try await eventually(within: .seconds(20)) { callers.count == 1 })
                #expect(callers == [nil])
            }
        }
    }

    @Test("keeps the part that was done and publishes its events, though the rest fails and is retried")
    @Loop func parts() async throws {
        var plan = Bench.Plan()
        plan.eventTypes = [Parted.type]
        try await Bench.run(plan) { bench async throws in
            let (first, second) = (UUID.v7(), UUID.v7())
            var attempts = 0
            bench.extraHandlers = [
                .event(Heard<Parted>.self) { _, context in
                    attempts += 1
                    let insert = Statement("INSERT INTO thing (id) VALUES ($1)")
                    if attempts == 1 {
                        try await context.transaction().send(insert, first)
                        context.emit(ThingMade(id: first))
                        try await context.checkpoint()
                    }
                    try await context.transaction().send(insert, second)
                    context.emit(ThingMade(id: second))
                    if attempts < 3 { throw Passing() }
                }
            ]
            try await bench.withWorker { _ async throws in
                try await send(Heard<Parted>(id: UUID()), bench)
                #expect(try await eventually(within: .seconds(20)) { bench.events(about: second) > 0 })
                #expect(try await eventually(within: .seconds(20)) { bench.events(about: first) > 0 })
                #expect(attempts == 3)
                #expect((bench.events(about: first), bench.events(about: second)) == (1, 1))
                #expect(try await bench.count("SELECT count(*) FROM thing") == 2)
            }
        }
    }
}
