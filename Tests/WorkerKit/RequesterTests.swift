import AMQP
import FoundationEssentials
import Logging
import Reactor
import TestSupport
import Testing

@testable import Contracts
@testable import WorkerKit

extension Workers {
    @Suite("Who sends a request learns what became of it", .timeLimit(.minutes(3))) struct RequesterTests {}
}

extension Workers.RequesterTests {
    @Test("the reply, with status, headers and body")
    @Loop func reply() async throws {
        try await Desk.run(answers: true) { desk async throws in
            let outcome = await desk.requester.send(desk.request(desk.query, patience: .seconds(30)))
            let reply = try #require(outcome.reply)
            #expect(reply.status == 200)
            #expect(reply.etag == #""7""# && reply.location == "/v1/x" && reply.retryAfter == 3)
            #expect(String(decoding: reply.body, as: UTF8.self) == "{}")
            let request = try #require(desk.received.first?.properties)
            #expect(request.type == desk.query.name && request.userID == desk.address.user)
            #expect(request.isPersistent == false && request.expiration != nil)
            #expect(request.headers[Header.subject]?.string == desk.caller.id.text)
            #expect(request.headers[Header.subjectName]?.string == desk.caller.username)
            let command = await desk.requester.send(desk.request(desk.command, patience: .seconds(30)))
            #expect(command.reply?.status == 200)
            let sent = try #require(desk.received.last?.properties)
            #expect(sent.isPersistent && sent.expiration == nil)
            #expect(desk.requester.pendingCount == 0)
        }
    }

    @Test("a reply that comes twice ends its request once, and a strange one ends none")
    @Loop func doubled() async throws {
        try await Desk.run(answers: false) { desk async throws in
            var ends = 0
            desk.requester.send(desk.request(desk.query, patience: .seconds(30))) { _ in ends += 1 }
            #expect(try await eventually { desk.received.count == 1 })
            let key = try #require(desk.received.first?.properties.replyTo)
            let correlation = try #require(desk.received.first?.properties.correlationID)
            for strange in ["", "no number!", "zzzzzzzzzzzzzzzzzzzz", "-1"] {
                try await desk.publish(status: 200, correlation: strange, to: key)
            }
            for status: Int64 in [0, 99, 600, .max, .min] {
                try await desk.publish(status: status, correlation: correlation, to: key)
            }
            #expect(ends == 0 && desk.requester.pendingCount == 1)
            for _ in 0..<3 { try await desk.publish(status: 200, correlation: correlation, to: key) }
            #expect(try await eventually { ends == 1 })
            #expect(try await desk.settles())
            #expect(ends == 1)
        }
    }

    @Test("the reply, in a queue that was there before it; what was a reply to another one there is passed over")
    @Loop func replyQueue() async throws {
        try await Desk.run(answers: false, hasReplyQueue: true) { desk async throws in
            var ends: [RequestOutcome] = []
            desk.requester.send(desk.request(desk.query, patience: .seconds(30))) { ends.append($0) }
            #expect(try await eventually { desk.received.count == 1 })
            let request = try #require(desk.received.first?.properties)
            let (key, correlation) = (try #require(request.replyTo), try #require(request.correlationID))
            let number = try #require(correlation.split(separator: ".").last)
            for other in [String(number), ".\(number)", "\(UUID.v7().text).\(number)", String(correlation.dropLast())] {
                try await desk.publish(status: 200, correlation: other, to: key)
            }
            try await desk.publish(status: 204, correlation: correlation, to: key)
            #expect(try await eventually { ends.count == 1 })
            #expect(ends.first?.reply?.status == 204)
            #expect(try await desk.settles())
            #expect(ends.count == 1)
        }
    }

    @Test("that nobody is there to take it, at once")
    @Loop func returned() async throws {
        try await Desk.run(answers: false) { desk async throws in
            for type in [desk.unboundQuery, desk.unboundCommand] {
                let outcome = await desk.requester.send(desk.request(type, patience: .seconds(600)))
                #expect(outcome.isUnavailable)
            }
            #expect(desk.requester.pendingCount == 0)
        }
    }

    @Test("that its queue is full, at once")
    @Loop func full() async throws {
        try await Desk.run(answers: false) { desk async throws in
            let first = await desk.requester.send(desk.request(desk.crowded, patience: .milliseconds(300)))
            #expect(first.isAccepted)
            let second = await desk.requester.send(desk.request(desk.crowded, patience: .seconds(600)))
            #expect(second.isUnavailable)
        }
    }

    @Test("that a query's deadline has passed; that a command is on disk and will be carried out")
    @Loop func deadline() async throws {
        try await Desk.run(answers: false) { desk async throws in
            let query = await desk.requester.send(desk.request(desk.query, patience: .milliseconds(200)))
            #expect(query.isDeadlineExceeded)
            let command = await desk.requester.send(desk.request(desk.command, patience: .milliseconds(500)))
            #expect(command.isAccepted)
            #expect(desk.requester.pendingCount == 0)
        }
    }

    @Test("that the broker has a command, as soon as it has, where its sender does not wait for the worker")
    @Loop func accepted() async throws {
        try await Desk.run(answers: true) { desk async throws in
            var request = desk.request(desk.command, patience: .seconds(600))
            request.awaitsReply = false
            let outcome = await desk.requester.send(request)
            #expect(outcome.isAccepted)
            #expect(try await eventually { desk.received.count == 1 })
            let properties = try #require(desk.received.first?.properties)
            #expect(properties.replyTo == nil && properties.isPersistent)
            for (type, isTaken) in [(desk.unboundCommand, false), (desk.crowded, true), (desk.crowded, false)] {
                var request = desk.request(type, patience: .seconds(600))
                request.awaitsReply = false
                let outcome = await desk.requester.send(request)
                #expect(isTaken ? outcome.isAccepted : outcome.isUnavailable)
            }
            #expect(desk.requester.pendingCount == 0)
        }
    }

    @Test("that the connection broke before the confirm: a query is unavailable, a command's outcome unknown")
    @Loop func lost() async throws {
        try await Desk.run(answers: false) { desk async throws in
            var ends: [String: [RequestOutcome]] = [:]
            desk.proxy.stall()
            desk.requester.send(desk.request(desk.query, patience: .seconds(60))) {
                ends["query", default: []].append($0)
            }
            desk.requester.send(desk.request(desk.command, patience: .seconds(1))) {
                ends["command", default: []].append($0)
            }
            var hasty = desk.request(desk.command, patience: .seconds(600))
            hasty.awaitsReply = false
            desk.requester.send(hasty) { ends["hasty", default: []].append($0) }
            #expect(try await eventually { desk.publisher.outstandingCount == 3 })
            desk.proxy.refuse()
            #expect(try await eventually { ends["query"]?.count == 1 })
            #expect(ends["query"]?.first?.isUnavailable == true)
            #expect(try await eventually { ends["hasty"]?.count == 1 })
            #expect(ends["hasty"]?.first?.isOutcomeUnknown == true)
            #expect(try await eventually { ends["command"]?.count == 1 })
            #expect(ends["command"]?.first?.isOutcomeUnknown == true)

            var atOnce: RequestOutcome?
            #expect(!desk.requester.isAvailable)
            desk.requester.send(desk.request(desk.command, patience: .seconds(600))) { atOnce = $0 }
            #expect(atOnce?.isUnavailable == true, "while the broker is away it says so before it returns")
            desk.proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { desk.requester.isAvailable })
            #expect(ends["query"]?.count == 1 && ends["command"]?.count == 1)
            #expect(desk.requester.pendingCount == 0)
        }
    }

    @Test("that too many wait already; once one has ended the next is taken")
    @Loop func limit() async throws {
        try await Desk.run(answers: false, limit: 3) { desk async throws in
            var ends = 0
            for _ in 0..<3 {
                desk.requester.send(desk.request(desk.query, patience: .seconds(2))) { _ in ends += 1 }
            }
            let refused = await desk.requester.send(desk.request(desk.query, patience: .seconds(600)))
            #expect(refused.isUnavailable)
            #expect(try await eventually { ends == 3 })
            let taken = await desk.requester.send(desk.request(desk.query, patience: .milliseconds(100)))
            #expect(taken.isDeadlineExceeded)
        }
    }
}

extension RequestOutcome {
    fileprivate var reply: Reply? { if case .reply(let reply) = self { reply } else { nil } }
    fileprivate var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
    fileprivate var isAccepted: Bool { if case .accepted = self { true } else { false } }
    fileprivate var isDeadlineExceeded: Bool { if case .deadlineExceeded = self { true } else { false } }
    fileprivate var isOutcomeUnknown: Bool { if case .outcomeUnknown = self { true } else { false } }
}
