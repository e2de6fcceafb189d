import AMQP
import BrokerSupport
import FoundationEssentials
import Logging
import Reactor
import TestSupport
import Testing

@testable import Contracts
@testable import Postgres
@testable import WorkerKit

extension Workers {
    @Suite("Retry ladder and dead letters", .timeLimit(.minutes(3))) struct LadderTests {}
}

extension Workers.LadderTests {
    @Test("a command that fails twice succeeds at the third attempt, and its sender gets the reply")
    @Loop func succeeds() async throws {
        try await WorkerFixture.run { fixture async throws in
            var attempts: [Int] = []
            var senders: [String?] = []
            fixture.service.onEnd = { _, context in
                attempts.append(context.message.failures)
                senders.append(context.message.sender)
                if attempts.count < 3 { throw TransientFailure() }
            }
            try await fixture.withWorker { _ async throws in
                let (thing, caller) = (UUID.v7(), UUID())
                let request = try await fixture.client.send(
                    fixture.service.create.name, fixture.body(thing), subject: caller)
                #expect(try await fixture.client.reply(to: request).status == 201)
                #expect(attempts == [0, 1, 2])
                #expect(senders.allSatisfy { $0 == fixture.client.user })
                #expect(try await fixture.effects(of: thing) == 1)
                #expect(fixture.client.replies(to: request).count == 1)
            }
        }
    }

    @Test("a retry has the next longer delay, the number of failures, the first sender and the worker's user id")
    @Loop func steps() async throws {
        var plan = WorkerFixture.Plan()
        plan.delay = 600_000
        try await WorkerFixture.run(plan) { fixture async throws in
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            try await fixture.withWorker { _ async throws in
                let id = UUID()
                for failures in 0..<4 {
                    try await fixture.client.send(fixture.service.create.name, fixture.body(UUID.v7()), id: id) {
                        message in
                        message.exchange = Exchange.requeue
                        message.routingKey = "again.\(fixture.queues.commands)"
                        message.properties.headers[Header.attempt] = .int64(Int64(failures))
                        message.properties.headers[Header.origin] = "ingress"
                        message.properties.expiration = 600_000
                    }
                    #expect(
                        try await eventually(within: .seconds(20)) {
                            try await fixture.queues.depth(fixture.queues.waiting) == failures + 1
                        })
                }
            }
            let waiting = TestClient(fixture.queues.address, watching: [fixture.queues.waiting])
            try await waiting.connected { () async throws in
                #expect(try await eventually { waiting.taken(from: fixture.queues.waiting).count == 4 })
            }
            let taken = waiting.taken(from: fixture.queues.waiting)
            #expect(taken.map(\.routingKey) == ["1s", "5s", "30s", "5m"].map { "\($0).\(fixture.queues.commands)" })
            #expect(taken.map { $0.properties.headers[Header.attempt]?.int64 } == [1, 2, 3, 4])
            for delivery in taken {
                #expect(delivery.properties.headers[Header.origin]?.string == "ingress")
                #expect(delivery.properties.userID == fixture.client.user)
                #expect(delivery.properties.type == fixture.service.create.name)
                #expect(delivery.properties.isPersistent)
                #expect(delivery.properties.expiration == nil)
            }
        }
    }

    @Test("after the last retry a command is dead-lettered, its sender gets an error reply, and it can be replayed")
    @Loop func deadLettered() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            try await fixture.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let request = try await fixture.client.send(fixture.service.create.name, fixture.body(thing), id: id)
                let reply = try await fixture.client.reply(to: request)
                #expect(reply.status == 500 && reply.problem == "command-failed")
                let dead = Queue.dead(of: fixture.queues.commands)
                #expect(try await eventually(within: .seconds(20)) { fixture.client.taken(from: dead).count == 1 })
                #expect(fixture.service.begun == 5)
                let delivery = try #require(fixture.client.taken(from: dead).first)
                #expect(delivery.properties.messageID == id.text)
                #expect(String(decoding: delivery.body, as: UTF8.self) == fixture.body(thing))

                fixture.service.onEnd = nil
                let again = try await fixture.client.ask(fixture.service.create.name, fixture.body(thing), id: id) {
                    message in
                    message.exchange = Exchange.requeue
                    message.routingKey = "replay.\(fixture.queues.commands)"
                }
                #expect(again.status == 201, "the dead letter is carried out when an operator sends it again")
            }
        }
    }

    @Test("a retried command has no CC header, so it returns only to its own queue")
    @Loop func carbonCopies() async throws {
        try await WorkerFixture.run { fixture async throws in
            var attempts = 0
            fixture.service.onEnd = { _, _ in
                attempts += 1
                if attempts == 1 { throw TransientFailure() }
            }
            try await fixture.withWorker { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7())) {
                    $0.properties.headers["CC"] = .array([.string("copy.\(fixture.queues.events)")])
                }
                #expect(reply.status == 201)
                try await Loop.sleep(for: .milliseconds(500))
                #expect(attempts == 2)
                #expect(fixture.client.taken(from: Queue.dead(of: fixture.queues.events)).isEmpty)
            }
        }
    }

    @Test("the log lines of a failed command contain the error and its place in the source code")
    @Loop func location() async throws {
        try await WorkerFixture.run { fixture async throws in
            let log = CapturedLog()
            var plan = RunningWorker.Plan()
            plan.log = log.logger(.info)
            let line: UInt = 4711
            fixture.service.onEnd = { _, _ in
                throw HandlerError(.wrongNumberOfReplies, "no replies", fileID: "Module/File.swift", line: line)
            }
            try await fixture.withWorker(plan) { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.create.name, fixture.body(UUID.v7()))
                #expect(reply.status == 500)
            }
            let failed = log.events.filter { $0.message == "message failed and will be retried" }
            #expect(failed.count == 4)
            #expect(failed.allSatisfy { $0.metadata["error"] == "wrong-number-of-replies: no replies" })
            #expect(failed.allSatisfy { $0.metadata["at"] == "Module/File.swift:4711" })
            let deadLettered = try #require(
                log.events.first { $0.message == "message moved to the dead-letter queue" })
            #expect(deadLettered.metadata["reason"] == "wrong-number-of-replies: no replies")
            #expect(deadLettered.metadata["at"] == "Module/File.swift:4711")
            #expect(deadLettered.metadata["type"] == .string(fixture.service.create.name))
        }
    }

    @Test("the headers attempt and origin are ignored in a message that a sender publishes as a request")
    @Loop func forgedHeaders() async throws {
        try await WorkerFixture.run { fixture async throws in
            var plan = RunningWorker.Plan()
            plan.trusted = ["ingress"]
            var attempts: [Int] = []
            fixture.service.onEnd = { _, context in
                attempts.append(context.message.failures)
                if attempts.count == 1 { throw TransientFailure() }
            }
            try await fixture.withWorker(plan) { _ async throws in
                func forge(_ message: inout OutgoingMessage) {
                    message.properties.headers[Header.attempt] = 4
                    message.properties.headers[Header.origin] = "ingress"
                }
                let reply = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(UUID.v7()), change: forge)
                #expect(reply.status == 201)
                #expect(attempts == [0, 1])
                let foreign = try await fixture.client.ask(
                    fixture.service.create.name, fixture.body(UUID.v7()), subject: UUID(), change: forge)
                #expect(foreign.status == 403)
            }
        }
    }

    @Test("a failed query or credential gets an error reply with status 503 at once and is not retried")
    @Loop func query() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            try await fixture.withWorker { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.read.name, fixture.body(UUID.v7()))
                #expect(reply.status == 503 && reply.problem == "unavailable" && reply.retryAfter == 1)
                let credentialReply = try await fixture.client.ask(fixture.service.login.name, fixture.body(UUID.v7()))
                #expect(credentialReply.status == 503)
                #expect(fixture.service.begun == 2)
            }
            #expect(try await fixture.queues.depth(fixture.queues.waiting) == 0)
        }
    }

    @Test("a credential whose commit may have succeeded gets an error reply with status 504")
    @Loop func unknownCommit() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.onEnd = { _, _ in throw PostgresError(.outcomeUnknown, "the connection broke") }
            try await fixture.withWorker { _ async throws in
                let reply = try await fixture.client.ask(fixture.service.login.name, fixture.body(UUID.v7()))
                #expect(reply.status == 504 && reply.problem == "deadline-exceeded")
            }
        }
    }

    @Test("a failed command is held until its retry can be published")
    @Loop func retryNotPublishable() async throws {
        try await WorkerFixture.run { fixture async throws in
            let retryBinding = (queue: fixture.queues.waiting, key: "*.\(fixture.queues.commands)")
            try await fixture.queues.provisioner.perform([
                .unbinding(queue: retryBinding.queue, exchange: Exchange.retry, key: retryBinding.key)
            ])
            var attempts: [Int] = []
            fixture.service.onEnd = { _, context in
                attempts.append(context.message.failures)
                if attempts.count == 1 { throw TransientFailure() }
            }
            try await fixture.withWorker { worker async throws in
                let thing = UUID.v7()
                let request = try await fixture.client.send(fixture.service.create.name, fixture.body(thing))
                #expect(try await eventually(within: .seconds(20)) { attempts.count == 1 })
                try await Loop.sleep(for: .seconds(2))
                #expect(attempts == [0])
                try await fixture.queues.provisioner.perform([
                    .binding(queue: retryBinding.queue, exchange: Exchange.retry, key: retryBinding.key)
                ])
                #expect(try await fixture.client.reply(to: request).status == 201)
                #expect(attempts == [0, 1])
                #expect(try await fixture.effects(of: thing) == 1)
            }
        }
    }

    @Test("a failed command whose retry is too large for the broker goes to the dead-letter queue at once")
    @Loop func retryTooLarge() async throws {
        try await WorkerFixture.run { fixture async throws in
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            try await fixture.withWorker { _ async throws in
                let request = try await largestCommand(fixture)
                let dead = Queue.dead(of: fixture.queues.commands)
                #expect(try await eventually(within: .seconds(20)) { fixture.client.taken(from: dead).count == 1 })
                #expect(fixture.client.taken(from: dead).first?.properties.correlationID == request)
                #expect(fixture.service.begun == 1)
                #expect(try await fixture.client.reply(to: request).problem == "command-failed")
            }
        }
    }

    /// Sends a command whose headers just fit into one frame. Together with the headers that a retry adds, they no
    /// longer fit.
    @Loop private func largestCommand(_ fixture: WorkerFixture) async throws -> String {
        var padding = 128 * 1024
        while true {
            do {
                return try await fixture.client.send(fixture.service.create.name, fixture.body(UUID.v7())) { message in
                    message.properties.headers["padding"] = .string(String(repeating: "x", count: padding))
                }
            } catch let error as PublishError where error.code == .tooLarge {
                padding -= 1
            }
        }
    }

    @Test("a failed command whose retry cannot be published is requeued when its worker stops")
    @Loop func requeuedAtStop() async throws {
        try await WorkerFixture.run { fixture async throws in
            try await fixture.queues.provisioner.perform([
                .unbinding(
                    queue: fixture.queues.waiting, exchange: Exchange.retry, key: "*.\(fixture.queues.commands)")
            ])
            fixture.service.onEnd = { _, _ in throw TransientFailure() }
            let thing = UUID.v7()
            var request = ""
            try await fixture.withWorker { _ async throws in
                request = try await fixture.client.send(fixture.service.create.name, fixture.body(thing))
                #expect(try await eventually(within: .seconds(20)) { fixture.service.begun == 1 })
            }
            fixture.service.onEnd = nil
            try await fixture.withWorker { _ async throws in
                #expect(try await fixture.client.reply(to: request).status == 201)
                #expect(try await fixture.effects(of: thing) == 1)
            }
        }
    }
}
