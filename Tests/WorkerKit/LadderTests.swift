import AMQP
import BrokerSupport
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import Contracts
@testable import WorkerKit

extension Workers {
    @Suite("Failures wait, then are seen", .timeLimit(.minutes(3))) struct LadderTests {}
}

extension Workers.LadderTests {
    @Test("a command that fails twice for a passing reason succeeds the third time, and its reply still comes")
    @Loop func succeeds() async throws {
        try await Bench.run { bench async throws in
            var attempts: [Int] = []
            var senders: [String?] = []
            bench.things.atEnd = { _, context in
                attempts.append(context.message.attempt)
                senders.append(context.message.sender)
                if attempts.count < 3 { throw Passing() }
            }
            try await bench.withWorker { _ async throws in
                let (thing, caller) = (UUID.v7(), UUID())
                let request = try await bench.client.send(
                    bench.things.make.name, bench.body(thing), subject: caller)
                #expect(try await bench.client.reply(to: request).status == 201)
                #expect(attempts == [0, 1, 2])
                #expect(senders.allSatisfy { $0 == bench.client.user })
                #expect(try await bench.effects(of: thing) == 1)
                #expect(bench.client.replies(to: request).count == 1)
            }
        }
    }

    @Test("each failure climbs one step, with the count, the first sender and the worker's own name on the message")
    @Loop func steps() async throws {
        var plan = Bench.Plan()
        plan.delay = 600_000
        try await Bench.run(plan) { bench async throws in
            bench.things.atEnd = { _, _ in throw Passing() }
            try await bench.withWorker { _ async throws in
                let id = UUID()
                for (failures, step) in [(0, "1s"), (1, "5s"), (2, "30s"), (3, "5m")] {
                    try await bench.client.send(bench.things.make.name, bench.body(UUID.v7()), id: id) { message in
                        message.exchange = Exchange.requeue
                        message.routingKey = "again.\(bench.queues.commands)"
                        message.properties.headers[Header.attempt] = .int64(Int64(failures))
                        message.properties.headers[Header.origin] = "ingress"
                        message.properties.expiration = 600_000
                    }
                    #expect(
                        try await eventually(within: .seconds(20)) {
                            try await bench.queues.depth(bench.queues.waiting) == failures + 1
                        })
                    _ = step
                }
            }
            let waiting = TestClient(bench.queues.address, watching: [bench.queues.waiting])
            try await waiting.connected { () async throws in
                #expect(try await eventually { waiting.taken(from: bench.queues.waiting).count == 4 })
            }
            let taken = waiting.taken(from: bench.queues.waiting)
            #expect(taken.map(\.routingKey) == ["1s", "5s", "30s", "5m"].map { "\($0).\(bench.queues.commands)" })
            #expect(taken.map { $0.properties.headers[Header.attempt]?.int64 } == [1, 2, 3, 4])
            for delivery in taken {
                #expect(delivery.properties.headers[Header.origin]?.string == "ingress")
                #expect(delivery.properties.userID == bench.client.user)
                #expect(delivery.properties.type == bench.things.make.name)
                #expect(delivery.properties.isPersistent)
                #expect(delivery.properties.expiration == nil)
            }
        }
    }

    @Test("after the last step it is in the dead-letter queue of its queue, and its sender is told")
    @Loop func givenUp() async throws {
        try await Bench.run { bench async throws in
            bench.things.atEnd = { _, _ in throw Passing() }
            try await bench.withWorker { _ async throws in
                let (thing, id) = (UUID.v7(), UUID())
                let request = try await bench.client.send(bench.things.make.name, bench.body(thing), id: id)
                let reply = try await bench.client.reply(to: request)
                #expect(reply.status == 500 && reply.problem == "internal")
                let dead = Queue.dead(of: bench.queues.commands)
                #expect(try await eventually(within: .seconds(20)) { bench.client.taken(from: dead).count == 1 })
                #expect(bench.things.begun == 5)
                let delivery = try #require(bench.client.taken(from: dead).first)
                #expect(delivery.properties.messageID == id.text)
                #expect(String(decoding: delivery.body, as: UTF8.self) == bench.body(thing))

                bench.things.atEnd = nil
                let again = try await bench.client.ask(bench.things.make.name, bench.body(thing), id: id) { message in
                    message.exchange = Exchange.requeue
                    message.routingKey = "replay.\(bench.queues.commands)"
                }
                #expect(again.status == 201, "replayed by the operator, it is carried out")
            }
        }
    }

    @Test("the keys of copies that its sender asked the broker for are not kept: it comes back to its own queue only")
    @Loop func carbonCopies() async throws {
        try await Bench.run { bench async throws in
            var attempts = 0
            bench.things.atEnd = { _, _ in
                attempts += 1
                if attempts == 1 { throw Passing() }
            }
            try await bench.withWorker { _ async throws in
                let reply = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7())) {
                    $0.properties.headers["CC"] = .array([.string("copy.\(bench.queues.events)")])
                }
                #expect(reply.status == 201)
                try await Loop.sleep(for: .milliseconds(500))
                #expect(attempts == 2)
                #expect(bench.client.taken(from: Queue.dead(of: bench.queues.events)).isEmpty)
            }
        }
    }

    @Test("an attempt and an origin that the sender made up are not looked at")
    @Loop func forgedHeaders() async throws {
        try await Bench.run { bench async throws in
            var plan = RunningWorker.Plan()
            plan.trusted = ["ingress"]
            var attempts: [Int] = []
            bench.things.atEnd = { _, context in
                attempts.append(context.message.attempt)
                if attempts.count == 1 { throw Passing() }
            }
            try await bench.withWorker(plan) { _ async throws in
                func forge(_ message: inout OutgoingMessage) {
                    message.properties.headers[Header.attempt] = 4
                    message.properties.headers[Header.origin] = "ingress"
                }
                let reply = try await bench.client.ask(bench.things.make.name, bench.body(UUID.v7()), change: forge)
                #expect(reply.status == 201)
                #expect(attempts == [0, 1])
                let foreign = try await bench.client.ask(
                    bench.things.make.name, bench.body(UUID.v7()), subject: UUID(), change: forge)
                #expect(foreign.status == 403)
            }
        }
    }

    @Test("a query that fails is answered at once and not retried")
    @Loop func query() async throws {
        try await Bench.run { bench async throws in
            bench.things.atEnd = { _, _ in throw Passing() }
            try await bench.withWorker { _ async throws in
                let reply = try await bench.client.ask(bench.things.look.name, bench.body(UUID.v7()))
                #expect(reply.status == 503 && reply.problem == "unavailable" && reply.retryAfter == 1)
                let entered = try await bench.client.ask(bench.things.enter.name, bench.body(UUID.v7()))
                #expect(entered.status == 503)
                #expect(bench.things.begun == 2)
            }
            #expect(try await bench.queues.depth(bench.queues.waiting) == 0)
        }
    }

    @Test("a failed command that cannot be put off is held until it can be")
    @Loop func cannotBePutOff() async throws {
        try await Bench.run { bench async throws in
            let way = (queue: bench.queues.waiting, key: "*.\(bench.queues.commands)")
            try await bench.queues.provisioner.perform([
                .unbinding(queue: way.queue, exchange: Exchange.retry, key: way.key)
            ])
            var attempts: [Int] = []
            bench.things.atEnd = { _, context in
                attempts.append(context.message.attempt)
                if attempts.count == 1 { throw Passing() }
            }
            try await bench.withWorker { worker async throws in
                let thing = UUID.v7()
                let request = try await bench.client.send(bench.things.make.name, bench.body(thing))
                #expect(try await eventually(within: .seconds(20)) { attempts.count == 1 })
                try await Loop.sleep(for: .seconds(2))
                #expect(attempts == [0])
                try await bench.queues.provisioner.perform([
                    .binding(queue: way.queue, exchange: Exchange.retry, key: way.key)
                ])
                #expect(try await bench.client.reply(to: request).status == 201)
                #expect(attempts == [0, 1])
                #expect(try await bench.effects(of: thing) == 1)
            }
        }
    }

    @Test("a failed command whose copy would be too large for the broker is in the dead-letter queue at once")
    @Loop func copyTooLarge() async throws {
        try await Bench.run { bench async throws in
            bench.things.atEnd = { _, _ in throw Passing() }
            try await bench.withWorker { _ async throws in
                let request = try await largestCommand(bench)
                let dead = Queue.dead(of: bench.queues.commands)
                #expect(try await eventually(within: .seconds(20)) { bench.client.taken(from: dead).count == 1 })
                #expect(bench.client.taken(from: dead).first?.properties.correlationID == request)
                #expect(bench.things.begun == 1)
                #expect(try await bench.client.reply(to: request).problem == "internal")
            }
        }
    }

    /// Sends a command that fits into a frame with its headers, and would not with those that a retry adds.
    @Loop private func largestCommand(_ bench: Bench) async throws -> String {
        var padding = 128 * 1024
        while true {
            do {
                return try await bench.client.send(bench.things.make.name, bench.body(UUID.v7())) { message in
                    message.properties.headers["padding"] = .string(String(repeating: "x", count: padding))
                }
            } catch let error as PublishError where error.code == .tooLarge {
                padding -= 1
            }
        }
    }

    @Test("a failed command that cannot be put off is in its queue again when its worker has stopped")
    @Loop func givenBack() async throws {
        try await Bench.run { bench async throws in
            try await bench.queues.provisioner.perform([
                .unbinding(
                    queue: bench.queues.waiting, exchange: Exchange.retry, key: "*.\(bench.queues.commands)")
            ])
            bench.things.atEnd = { _, _ in throw Passing() }
            let thing = UUID.v7()
            var request = ""
            try await bench.withWorker { _ async throws in
                request = try await bench.client.send(bench.things.make.name, bench.body(thing))
                #expect(try await eventually(within: .seconds(20)) { bench.things.begun == 1 })
            }
            bench.things.atEnd = nil
            try await bench.withWorker { _ async throws in
                #expect(try await bench.client.reply(to: request).status == 201)
                #expect(try await bench.effects(of: thing) == 1)
            }
        }
    }
}
