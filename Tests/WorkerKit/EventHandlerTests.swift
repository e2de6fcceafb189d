import AMQP
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import Contracts
@testable import WorkerKit

/// An event that the worker consumes. Each test has a `Tag` of its own, and therefore an event type of its own.
struct ConsumedEvent<Tag: EventTag>: DomainEvent {
    let id: UUID

    static var type: String { Tag.type }
    static var service: ServiceName { .media }
    var subject: UUID { id }
    static var schema: Schema<ConsumedEvent<Tag>> {
        .object("ConsumedEvent", unknownFields: .ignored, field("id", \.id, .uuid), make: ConsumedEvent.init)
    }
}

protocol EventTag: Sendable, Hashable {
    static var type: String { get }
}

private func uniqueType() -> String { "kitheard." + String(UInt64.random(in: .min ... .max), radix: 36) }

extension Workers {
    @Suite("Event handlers", .timeLimit(.minutes(3))) struct EventHandlerTests {}
}

extension Workers.EventHandlerTests {
    private enum Retried: EventTag { static let type = uniqueType() }
    private enum Undecodable: EventTag { static let type = uniqueType() }
    private enum Problematic: EventTag { static let type = uniqueType() }
    private enum WithRequestHeaders: EventTag { static let type = uniqueType() }
    private enum Checkpointed: EventTag { static let type = uniqueType() }

    /// Publishes an event as its service does.
    @Loop private func send<Tag>(
        _ event: ConsumedEvent<Tag>, _ fixture: WorkerFixture, body: String? = nil,
        change: (inout OutgoingMessage) -> Void = { _ in }
    ) async throws {
        let text = body ?? String(decoding: CloudEvent(data: event).jsonBytes(), as: UTF8.self)
        try await fixture.client.send(Tag.type, text) { message in
            message.exchange = Exchange.events
            message.properties.contentType = ContentType.cloudEvent
            message.properties.replyTo = nil
            change(&message)
        }
    }

    @Test("an event whose handler fails is retried until the handler succeeds")
    @Loop func retried() async throws {
        var plan = WorkerFixture.Plan()
        plan.eventTypes = [Retried.type]
        try await WorkerFixture.run(plan) { fixture async throws in
            var attempts: [Int] = []
            var settled = 0
            fixture.extraHandlers = [
                .event(ConsumedEvent<Retried>.self, afterCommit: { _ in settled += 1 }) { _, context in
                    attempts.append(context.message.failures)
                    if attempts.count < 3 { throw TransientFailure() }
                }
            ]
            try await fixture.withWorker { _ async throws in
                try await send(ConsumedEvent<Retried>(id: UUID()), fixture)
                #expect(try await eventually(within: .seconds(20)) { settled == 1 })
                #expect(attempts == [0, 1, 2])
            }
            #expect(try await fixture.queues.depth(fixture.queues.events) == 0)
        }
    }

    @Test("an event that cannot be decoded goes to the dead-letter queue at once and does not delay other events")
    @Loop func undecodable() async throws {
        var plan = WorkerFixture.Plan()
        plan.eventTypes = [Undecodable.type]
        try await WorkerFixture.run(plan) { fixture async throws in
            var handled: [UUID] = []
            fixture.extraHandlers = [
                .event(ConsumedEvent<Undecodable>.self) { event, _ in handled.append(event.data.id) }
            ]
            var worker = RunningWorker.Plan()
            worker.prefetch = 1
            try await fixture.withWorker(worker) { _ async throws in
                let (before, after) = (ConsumedEvent<Undecodable>(id: UUID()), ConsumedEvent<Undecodable>(id: UUID()))
                try await send(before, fixture)
                let broken = ["no JSON", "{}", #"{"specversion":"1.0"}"#, "", "\u{0}"]
                for body in broken { try await send(before, fixture, body: body) }
                try await send(after, fixture)
                #expect(try await eventually(within: .seconds(20)) { handled == [before.id, after.id] })
                let dead = Queue.dead(of: fixture.queues.events)
                #expect(
                    try await eventually(within: .seconds(20)) {
                        fixture.client.taken(from: dead).count == broken.count
                    })
                #expect(fixture.client.taken(from: dead).allSatisfy { $0.properties.headers[Header.attempt] == nil })
            }
        }
    }

    @Test("an event whose handler throws a Problem is retried like after other errors, and then dead-lettered")
    @Loop func problem() async throws {
        var plan = WorkerFixture.Plan()
        plan.eventTypes = [Problematic.type]
        try await WorkerFixture.run(plan) { fixture async throws in
            var handled = 0
            fixture.extraHandlers = [
                .event(ConsumedEvent<Problematic>.self) { _, _ in
                    handled += 1
                    throw Problem(.unavailable)
                }
            ]
            try await fixture.withWorker { _ async throws in
                try await send(ConsumedEvent<Problematic>(id: UUID()), fixture)
                let dead = Queue.dead(of: fixture.queues.events)
                #expect(try await eventually(within: .seconds(20)) { fixture.client.taken(from: dead).count == 1 })
                #expect(handled == 5)
            }
        }
    }

    @Test("the headers subject and deadline of an event are ignored")
    @Loop func subject() async throws {
        var plan = WorkerFixture.Plan()
        plan.eventTypes = [WithRequestHeaders.type]
        try await WorkerFixture.run(plan) { fixture async throws in
            var callers: [Caller?] = []
            fixture.extraHandlers = [
                .event(ConsumedEvent<WithRequestHeaders>.self) { _, context in callers.append(context.message.caller) }
            ]
            var worker = RunningWorker.Plan()
            worker.trusted = ["ingress"]
            try await fixture.withWorker(worker) { _ async throws in
                try await send(ConsumedEvent<WithRequestHeaders>(id: UUID()), fixture) { message in
                    message.properties.headers[Header.subject] = .string(UUID().text)
                    message.properties.headers[Header.deadline] = 1
                }
                #expect(try await eventually(within: .seconds(20)) { callers.count == 1 })
                #expect(callers == [nil])
            }
        }
    }

    @Test("the statements and events before a checkpoint are kept when the handler fails after it and is retried")
    @Loop func checkpoint() async throws {
        var plan = WorkerFixture.Plan()
        plan.eventTypes = [Checkpointed.type]
        try await WorkerFixture.run(plan) { fixture async throws in
            let (first, second) = (UUID.v7(), UUID.v7())
            var attempts = 0
            fixture.extraHandlers = [
                .event(ConsumedEvent<Checkpointed>.self) { _, context in
                    attempts += 1
                    let insert = Statement("INSERT INTO thing (id) VALUES ($1)")
                    if attempts == 1 {
                        try await context.transaction().send(insert, first)
                        context.emit(ThingMade(id: first))
                        try await context.checkpoint()
                    }
                    try await context.transaction().send(insert, second)
                    context.emit(ThingMade(id: second))
                    if attempts < 3 { throw TransientFailure() }
                }
            ]
            try await fixture.withWorker { _ async throws in
                try await send(ConsumedEvent<Checkpointed>(id: UUID()), fixture)
                #expect(try await eventually(within: .seconds(20)) { fixture.events(about: second) > 0 })
                #expect(try await eventually(within: .seconds(20)) { fixture.events(about: first) > 0 })
                #expect(attempts == 3)
                #expect((fixture.events(about: first), fixture.events(about: second)) == (1, 1))
                #expect(try await fixture.count("SELECT count(*) FROM thing") == 2)
            }
        }
    }
}
