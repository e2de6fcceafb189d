import AMQP
import BrokerSupport
import Contracts
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension Workers {
    @Suite("What a worker believes of a message", .timeLimit(.minutes(3))) struct TrustTests {}
}

extension Workers.TrustTests {
    @Test("the subject, from a principal that may speak for others")
    @Loop func trusted() async throws {
        try await Bench.run { bench async throws in
            var callers: [Caller?] = []
            bench.things.atBegin = { _, context in callers.append(context.message.caller) }
            try await bench.withWorker { _ async throws in
                let account = UUID()
                let reply = try await bench.client.ask(
                    bench.things.make.name, bench.body(UUID.v7()), subject: account)
                #expect(reply.status == 201)
                #expect(callers == [Caller(id: account, username: "someone")])
            }
        }
    }

    @Test("no subject from another principal: it is refused, for commands and queries, and nothing is done")
    @Loop func untrusted() async throws {
        try await Bench.run { bench async throws in
            var plan = RunningWorker.Plan()
            plan.trusted = ["ingress"]
            try await bench.withWorker(plan) { _ async throws in
                for type in [bench.things.make.name, bench.things.look.name, bench.things.enter.name] {
                    let reply = try await bench.client.ask(type, bench.body(UUID.v7()), subject: UUID())
                    #expect(reply.status == 403 && reply.problem == "forbidden")
                }
                #expect(bench.things.begun == 0)
                #expect(try await bench.count("SELECT count(*) FROM inbox") == 0)
                let own = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7()))
                #expect(own.status == 201, "without a subject it may ask")
            }
        }
    }

    @Test("no subject that the broker vouches for nobody with, nor one that is no account's id")
    @Loop func anonymous() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let anonymous = try await bench.client.ask(
                    bench.things.make.name, bench.body(UUID.v7()), subject: UUID()
                ) { $0.properties.userID = nil }
                #expect(anonymous.status == 403)
                for subject: FieldValue in ["", "root", "00000000-0000-0000-0000-00000000000g"] {
                    let malformed = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7())) {
                        $0.properties.headers[Header.subject] = subject
                    }
                    #expect(malformed.status == 403)
                }
                #expect(bench.things.begun == 0)
            }
        }
    }

    @Test("no subject without a name that an account can have: it is malformed, not tried again and again")
    @Loop func nameless() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let long = FieldValue.string(String(repeating: "x", count: 51))
                for name: FieldValue? in [nil, "", "ab", "a\u{0}bc", "Häsin", long, 1] {
                    let reply = try await bench.client.ask(
                        bench.things.make.name, bench.body(UUID.v7()), subject: UUID()
                    ) { $0.properties.headers[Header.subjectName] = name }
                    #expect(reply.status == 400 && reply.problem == "malformed-request", "\(String(describing: name))")
                }
                #expect(bench.things.begun == 0)
            }
        }
    }

    @Test("no command that needs a caller and has none")
    @Loop func callerNeeded() async throws {
        var plan = Bench.Plan()
        plan.needsSubject = true
        try await Bench.run(plan) { bench async throws in
            try await bench.withWorker { _ async throws in
                let reply = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7()))
                #expect(reply.status == 401 && reply.problem == "unauthenticated")
                // A subject whose type is not text is none.
                let number = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7())) {
                    $0.properties.headers[Header.subject] = 1
                }
                #expect(number.status == 401)
                #expect(bench.things.begun == 0)
                let called = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7()), subject: UUID())
                #expect(called.status == 201)
            }
        }
    }

    @Test("without a caller, only a principal that the handler names, as the broker vouches for it")
    @Loop func asker() async throws {
        var plan = Bench.Plan()
        plan.needsSubject = true
        try await Bench.run(plan) { bench async throws in
            var (named, other) = (RunningWorker.Plan(), RunningWorker.Plan())
            (named.principalsWithoutCaller, other.principalsWithoutCaller) = ([bench.client.user], ["search"])
            try await bench.withWorker(named) { _ async throws in
                let reply = try await bench.client.ask(bench.things.look.name, bench.body(UUID.v7()))
                #expect(reply.status == 200)
                let unvouched = try await bench.client.ask(bench.things.look.name, bench.body(UUID.v7())) {
                    $0.properties.userID = nil
                    $0.properties.headers[Header.origin] = .string(bench.client.user)
                }
                #expect(unvouched.status == 401)
            }
            try await bench.withWorker(other) { _ async throws in
                let reply = try await bench.client.ask(bench.things.look.name, bench.body(UUID.v7()))
                #expect(reply.status == 401)
                #expect(bench.things.begun == 1)
            }
        }
    }

    @Test("no type but the one that it was routed by, and none that nobody handles")
    @Loop func routing() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let dead = Queue.dead(of: bench.queues.commands)
                let disguised = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7())) {
                    $0.properties.type = bench.things.drop.name
                }
                #expect(disguised.status == 400 && disguised.problem == "malformed-request")
                #expect(try await eventually(within: .seconds(20)) { bench.client.taken(from: dead).count == 1 })
                try await bench.queues.provisioner.perform([
                    .binding(
                        queue: bench.queues.commands, exchange: Exchange.commands, key: "\(bench.queues.prefix).other")
                ])
                let unknown = try await bench.client.ask("\(bench.queues.prefix).other", "{}")
                #expect(unknown.status == 400)
                #expect(try await eventually(within: .seconds(20)) { bench.client.taken(from: dead).count == 2 })
                let untyped = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7())) {
                    $0.properties.type = nil
                }
                #expect(untyped.status == 201, "the routing key says the type where the property does not")
                #expect(bench.things.begun == 1)
            }
        }
    }

    @Test("no property or body so odd that the worker falls over it")
    @Loop func hostile() async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let bodies = ["", "null", "[]", "{", #"{"id":1}"#, #"{"id":"x"}"#, #"{"more":{}}"#, "\u{0}"]
                for body in bodies {
                    let reply = try await bench.client.ask(bench.things.make.name, body)
                    #expect(reply.status == 400 || reply.status == 422)
                }
                let odd = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7())) { message in
                    message.properties.timestamp = .max
                    message.properties.headers[Header.deadline] = .int64(.min)
                    message.properties.headers[Header.requestId] = .string(String(repeating: "\u{1b}", count: 1000))
                    message.properties.headers[Header.traceparent] = "00-"
                    message.properties.headers[Header.attempt] = .int64(.max)
                }
                #expect(odd.status == 201)
                for attempt: FieldValue in [.int64(.max), .int64(.min), "1", .void] {
                    let returned = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7())) {
                        $0.exchange = Exchange.requeue
                        $0.routingKey = "any.\(bench.queues.commands)"
                        $0.properties.timestamp = .max
                        $0.properties.headers[Header.attempt] = attempt
                    }
                    #expect(returned.status == 201)
                }
            }
        }
    }

    @Test(
        "the trace's id of a traceparent, and of nothing else that stands in its place",
        arguments: [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-x-01",
            "00-<script>alert(document.cookie)</sc-00f067aa0ba902b7-01", "00-\u{1b}[31m\n\r\u{0}x", "",
            "00-4bf92f3577b34da6",
            String(repeating: "é", count: 100),
        ])
    @Loop func traceparent(field: String) async throws {
        try await Bench.run { bench async throws in
            try await bench.withWorker { _ async throws in
                let reply = try await bench.client.ask(bench.things.drop.name, bench.body(UUID.v7())) {
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
