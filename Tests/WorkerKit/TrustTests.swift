import AMQP
import BrokerSupport
import Contracts
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("Trust in message properties", .timeLimit(.minutes(3))) struct TrustTests {}
}

extension Workers.TrustTests {
    @Test("the account in the header `subject` becomes the caller if the sender is a trusted principal")
    @Loop func trusted() async throws {
        try await WorkerFixture.run { fixture async throws in
            var callers: [Caller?] = []
            fixture.service.onBegin = { _, context in callers.append(context.message.caller) }
            try await fixture.withWorker { _ async throws in
                let account = UUID()
                let reply = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(UUID.v7()), subject: account)
                #expect(reply.status == 201)
                #expect(callers == [Caller(id: account, username: "someone")])
            }
        }
    }

    @Test("an untrusted principal's request that has a subject is refused with 403 and has no effect")
    @Loop func untrusted() async throws {
        try await WorkerFixture.run { fixture async throws in
            var plan = RunningWorker.Plan()
            plan.trusted = ["ingress"]
            try await fixture.withWorker(plan) { _ async throws in
                for type in [fixture.service.create.name, fixture.service.read.name, fixture.service.login.name] {
                    let reply = try await fixture.client.ask(type, fixture.body(UUID.v7()), subject: UUID())
                    #expect(reply.status == 403 && reply.problem == "forbidden")
                }
                #expect(fixture.service.begun == 0)
                #expect(try await fixture.count("SELECT count(*) FROM inbox") == 0)
                let own = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7()))
                #expect(own.status == 201, "an untrusted principal may send a request without a subject")
            }
        }
    }

    @Test("a request with a subject is refused with 403 if `user_id` is missing or the subject is not a UUID")
    @Loop func anonymous() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let anonymous = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(UUID.v7()), subject: UUID()
                ) { $0.properties.userID = nil }
                #expect(anonymous.status == 403)
                for subject: FieldValue in ["", "root", "00000000-0000-0000-0000-00000000000g"] {
                    let malformed = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                        $0.properties.headers[Header.subject] = subject
                    }
                    #expect(malformed.status == 403)
                }
                #expect(fixture.service.begun == 0)
            }
        }
    }

    @Test("a request with a subject but without a valid username is refused with 400 and not retried")
    @Loop func nameless() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let long = FieldValue.string(String(repeating: "x", count: 51))
                for name: FieldValue? in [nil, "", "ab", "a\u{0}bc", "Häsin", long, 1] {
                    let reply = try await fixture.client.ask(
                        fixture.service.create.name, fixture.body(UUID.v7()), subject: UUID()
                    ) { $0.properties.headers[Header.subjectName] = name }
                    #expect(reply.status == 400 && reply.problem == "malformed-request", "\(String(describing: name))")
                }
                #expect(fixture.service.begun == 0)
            }
        }
    }

    @Test("a command that needs a caller and has none is refused with 401")
    @Loop func callerNeeded() async throws {
        var plan = WorkerFixture.Plan()
        plan.needsCaller = true
        try await WorkerFixture.run(plan) { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7()))
                #expect(reply.status == 401 && reply.problem == "unauthenticated")
                // A subject that is not a string counts as missing.
                let number = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                    $0.properties.headers[Header.subject] = 1
                }
                #expect(number.status == 401)
                #expect(fixture.service.begun == 0)
                let called = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(UUID.v7()), subject: UUID())
                #expect(called.status == 201)
            }
        }
    }

    @Test("only a principal that the handler names may send a request without a caller if the type needs a caller")
    @Loop func withoutCaller() async throws {
        var plan = WorkerFixture.Plan()
        plan.needsCaller = true
        try await WorkerFixture.run(plan) { fixture async throws in
            var (named, other) = (RunningWorker.Plan(), RunningWorker.Plan())
            (named.principalsWithoutCaller, other.principalsWithoutCaller) = ([fixture.client.user], ["search"])
            try await fixture.withWorker(named) { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.read.name, fixture.body(UUID.v7()))
                #expect(reply.status == 200)
                let unverified = try await fixture.client.ask(fixture.service.read.name, fixture.body(UUID.v7())) {
                    $0.properties.userID = nil
                    $0.properties.headers[Header.origin] = .string(fixture.client.user)
                }
                #expect(unverified.status == 401)
            }
            try await fixture.withWorker(other) { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.read.name, fixture.body(UUID.v7()))
                #expect(reply.status == 401)
                #expect(fixture.service.begun == 1)
            }
        }
    }

    @Test("a command gets 400 and is dead-lettered if its type differs from its routing key or has no handler")
    @Loop func routing() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let dead = Queue.dead(of: fixture.queues.commands)
                let disguised = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                    $0.properties.type = fixture.service.delete.name
                }
                #expect(disguised.status == 400 && disguised.problem == "malformed-request")
                #expect(try await eventually(within: .seconds(20)) { fixture.client.taken(from: dead).count == 1 })
                try await fixture.queues.provisioner.perform([
                    .binding(
                        queue: fixture.queues.commands, exchange: Exchange.commands,
                        key: "\(fixture.queues.prefix).other")
                ])
                let unknown = try await fixture.client.ask("\(fixture.queues.prefix).other", "{}")
                #expect(unknown.status == 400)
                #expect(try await eventually(within: .seconds(20)) { fixture.client.taken(from: dead).count == 2 })
                let untyped = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                    $0.properties.type = nil
                }
                #expect(untyped.status == 201, "a message without a type property has its routing key as the type")
                #expect(fixture.service.begun == 1)
            }
        }
    }

    @Test("a message that reached a queue by the key in its CC header is refused, whatever its origin header says")
    @Loop func carbonCopy() async throws {
        try await WorkerFixture.run { fixture async throws in
            var plan = RunningWorker.Plan()
            plan.trusted = ["ingress"]
            try await fixture.withWorker(plan) { _ async throws in
                // The broker checks only the routing key against the permissions of the sender.
                let reply = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(UUID.v7()), subject: UUID()
                ) {
                    $0.exchange = Exchange.requeue
                    $0.routingKey = "1s.\(fixture.queues.prefix).another"
                    $0.isMandatory = false
                    $0.properties.headers["CC"] = .array([.string("1s.\(fixture.queues.commands)")])
                    $0.properties.headers[Header.origin] = "ingress"
                }
                #expect(reply.status == 400)
                #expect(fixture.service.begun == 0)
            }
        }
    }

    @Test("a requeued message with the greatest number of failures becomes a dead letter when it fails again")
    @Loop func greatestAttempt() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            try await fixture.withWorker { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                    $0.exchange = Exchange.requeue
                    $0.routingKey = "1s.\(fixture.queues.commands)"
                    $0.properties.headers[Header.attempt] = .int64(.max)
                }
                #expect(reply.status == 500)
                let dead = Queue.dead(of: fixture.queues.commands)
                #expect(try await eventually(within: .seconds(20)) { fixture.client.taken(from: dead).count == 1 })
            }
        }
    }

    @Test("a worker continues after messages with malformed properties and bodies")
    @Loop func hostile() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let bodies = ["", "null", "[]", "{", #"{"id":1}"#, #"{"id":"x"}"#, #"{"more":{}}"#, "\u{0}"]
                for body in bodies {
                    let reply = try await fixture.client.ask(fixture.service.create.name, body)
                    #expect(reply.status == 400 || reply.status == 422)
                }
                let odd = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                    message in
                    message.properties.timestamp = .max
                    message.properties.headers[Header.deadline] = .int64(.min)
                    message.properties.headers[Header.requestId] = .string(String(repeating: "\u{1b}", count: 1000))
                    message.properties.headers[Header.traceparent] = "00-"
                    message.properties.headers[Header.attempt] = .int64(.max)
                }
                #expect(odd.status == 201)
                for attempt: FieldValue in [.int64(.max), .int64(.min), "1", .void] {
                    let requeued = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                        $0.exchange = Exchange.requeue
                        $0.routingKey = "any.\(fixture.queues.commands)"
                        $0.properties.timestamp = .max
                        $0.properties.headers[Header.attempt] = attempt
                    }
                    #expect(requeued.status == 201)
                }
            }
        }
    }

    @Test(
        "the reply has the trace id of a well-formed traceparent, and none for a malformed one",
        arguments: [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-x-01",
            "00-<script>alert(document.cookie)</sc-00f067aa0ba902b7-01", "00-\u{1b}[31m\n\r\u{0}x", "",
            "00-4bf92f3577b34da6",
            String(repeating: "é", count: 100),
        ])
    @Loop func traceparent(field: String) async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.withWorker { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.delete.name, fixture.body(UUID.v7())) {
                    $0.properties.headers[Header.traceparent] = .string(field)
                }
                #expect(reply.status == 404)
                let traceID = try JSON.parse(reply.body)["traceId"]?.string
                #expect(
                    traceID
                        == (field.hasSuffix("b7-01") && !field.contains("<")
                            ? String(field.dropFirst(3).prefix(32)) : nil))
            }
        }
    }
}
