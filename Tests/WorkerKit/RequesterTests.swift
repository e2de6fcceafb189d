import AMQP
import FaultProxy
import FoundationEssentials
import Logging
import Reactor
import TestSupport
import Testing

@testable import Contracts
@testable import WorkerKit

extension Workers {
    @Suite("Requester", .timeLimit(.minutes(3))) struct RequesterTests {}
}

extension Workers.RequesterTests {
    @Test("a request ends with its reply, including status, headers and body")
    @Loop func reply() async throws {
        try await RequesterFixture.run(answers: true) { fixture async throws in
            let outcome = await fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(30)))
            let reply = try #require(outcome.reply)
            #expect(reply.status == 200)
            #expect(reply.etag == #""7""# && reply.location == "/v1/x" && reply.retryAfter == 3)
            #expect(String(decoding: reply.body, as: UTF8.self) == "{}")
            let request = try #require(fixture.received.first?.properties)
            #expect(request.type == fixture.query.name && request.userID == fixture.address.user)
            #expect(request.isPersistent == false && request.expiration != nil)
            #expect(request.headers[Header.subject]?.string == fixture.caller.id.text)
            #expect(request.headers[Header.subjectName]?.string == fixture.caller.username)
            let command = await fixture.requester.send(fixture.request(fixture.command, timeout: .seconds(30)))
            #expect(command.reply?.status == 200)
            let sent = try #require(fixture.received.last?.properties)
            #expect(sent.isPersistent && sent.expiration == nil)
            #expect(fixture.requester.pendingCount == 0)
        }
    }

    @Test("several replies end their request only once, and an invalid reply ends no request")
    @Loop func doubled() async throws {
        try await RequesterFixture.run(answers: false) { fixture async throws in
            var ends = 0
            fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(30))) { _ in ends += 1 }
            #expect(try await eventually { fixture.received.count == 1 })
            let key = try #require(fixture.received.first?.properties.replyTo)
            let correlation = try #require(fixture.received.first?.properties.correlationID)
            for strange in ["", "no number!", "zzzzzzzzzzzzzzzzzzzz", "-1"] {
                try await fixture.publish(status: 200, correlation: strange, to: key)
            }
            for status: Int64 in [0, 99, 600, .max, .min] {
                try await fixture.publish(status: status, correlation: correlation, to: key)
            }
            #expect(ends == 0 && fixture.requester.pendingCount == 1)
            for _ in 0..<3 { try await fixture.publish(status: 200, correlation: correlation, to: key) }
            #expect(try await eventually { ends == 1 })
            #expect(try await fixture.settles())
            #expect(ends == 1)
        }
    }

    @Test("a reply of another type, and a reply whose sender the broker has not verified, end no request")
    @Loop func forged() async throws {
        try await RequesterFixture.run(answers: false) { fixture async throws in
            var ends = 0
            fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(30))) { _ in ends += 1 }
            #expect(try await eventually { fixture.received.count == 1 })
            let key = try #require(fixture.received.first?.properties.replyTo)
            let correlation = try #require(fixture.received.first?.properties.correlationID)
            let otherType = fixture.command.replyName
            try await fixture.publish(status: 204, correlation: correlation, to: key, type: otherType)
            try await fixture.publish(status: 204, correlation: correlation, to: key, isVerified: false)
            #expect(try await fixture.settles())
            #expect(ends == 0)
            try await fixture.publish(status: 204, correlation: correlation, to: key)
            #expect(try await eventually { ends == 1 })
        }
    }

    @Test("a reply of a service that was not asked ends no request")
    @Loop func otherService() async throws {
        try await RequesterFixture.run(answers: false, replyPrincipal: "another service") { fixture async throws in
            var ends = 0
            fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(30))) { _ in ends += 1 }
            #expect(try await eventually { fixture.received.count == 1 })
            let request = try #require(fixture.received.first?.properties)
            try await fixture.publish(
                status: 204, correlation: request.correlationID, to: try #require(request.replyTo))
            try await Loop.sleep(for: .milliseconds(300))
            #expect(ends == 0 && fixture.requester.pendingCount == 1)
        }
    }

    @Test("a reply with a valid correlation id from the wrong sender is logged, at most once a second")
    @Loop func forgedIsLogged() async throws {
        let captured = CapturedLog()
        try await RequesterFixture.run(answers: false, log: captured.logger(.warning)) { fixture async throws in
            fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(30))) { _ in }
            #expect(try await eventually { fixture.received.count == 1 })
            let request = try #require(fixture.received.first?.properties)
            let key = try #require(request.replyTo)
            for _ in 0..<5 {
                try await fixture.publish(
                    status: 204, correlation: request.correlationID, to: key, isVerified: false)
            }
            #expect(try await fixture.settles())
            let lines = captured.events.filter { $0.message.contains("invalid reply") }
            #expect((1...4).contains(lines.count))
            #expect(lines.first?.metadata["expected-user"]?.description == fixture.address.user)
        }
    }

    @Test("a command counts against the share of its client until its reply arrives, even after its deadline")
    @Loop func share() async throws {
        try await RequesterFixture.run(answers: false, limit: 10_000) { fixture async throws in
            let client = ClientKey.account(UUID())
            @Loop func isExceeded(awaitsReply: Bool = true) async -> Bool {
                let request = fixture.claiming(fixture.command, client, awaitsReply: awaitsReply)
                return await fixture.requester.send(request).isShareExceeded
            }
            let share = 10_000 / 8
            for _ in 0..<share / 2 {
                fixture.requester.send(fixture.claiming(fixture.command, client)) { _ in }
                fixture.requester.send(fixture.claiming(fixture.command, client, awaitsReply: false)) { _ in }
            }
            #expect(try await eventually { fixture.received.count == share && fixture.requester.pendingCount == 0 })
            #expect(await isExceeded())
            #expect(await isExceeded(awaitsReply: false))
            let other = fixture.claiming(fixture.command, .account(UUID()))
            #expect(await fixture.requester.send(other).isAccepted)
            for properties in [fixture.received[0].properties, fixture.received[1].properties] {
                try await fixture.publish(
                    status: 204, correlation: properties.correlationID, to: try #require(properties.replyTo))
            }
            #expect(try await fixture.settles())
            #expect(await !isExceeded())
            #expect(await !isExceeded(awaitsReply: false))
            #expect(await isExceeded())
        }
    }

    @Test("a query counts against the share of its client until its deadline, and a refused request does not count")
    @Loop func shareOfQuery() async throws {
        try await RequesterFixture.run(answers: false, limit: 10_000) { fixture async throws in
            let client = ClientKey.account(UUID())
            var ends = 0
            for _ in 0..<1250 { fixture.requester.send(fixture.claiming(fixture.query, client)) { _ in ends += 1 } }
            #expect(await fixture.requester.send(fixture.claiming(fixture.query, client)).isShareExceeded)
            #expect(try await eventually { ends == 1250 })
            #expect(await fixture.requester.send(fixture.claiming(fixture.query, client)).isDeadlineExceeded)
            for _ in 0..<1251 {
                let outcome = await fixture.requester.send(fixture.claiming(fixture.unboundCommand, client))
                guard outcome.isUnavailable else { return #expect(outcome.isUnavailable) }
            }
        }
    }

    @Test("a command whose reply was lost counts against the share until a later command of its queue is answered")
    @Loop func lostReply() async throws {
        let interval = Duration.seconds(1)
        try await RequesterFixture.run(answers: false, limit: 10_000, claimCheckInterval: interval) {
            fixture async throws in
            let client = ClientKey.account(UUID())
            @Loop func isExceeded() -> Bool { fixture.requester.exceedsShare(fixture.command, of: [client], bytes: 2) }
            for _ in 0..<1250 { fixture.requester.send(fixture.claiming(fixture.command, client)) { _ in } }
            #expect(try await eventually { fixture.requester.pendingCount == 0 })
            var later = fixture.claiming(fixture.command, .account(UUID()))
            later.timeout = .seconds(30)
            fixture.requester.send(later) { _ in }
            #expect(try await eventually { fixture.received.count == 1251 })
            try await Loop.sleep(for: interval * 2)
            #expect(isExceeded(), "no command has been answered")
            let properties = try #require(fixture.received.last?.properties)
            try await fixture.publish(
                status: 204, correlation: properties.correlationID, to: try #require(properties.replyTo))
            // Without the later reply, the last of ten checks would end the claims after 10 s.
            #expect(try await eventually(within: .seconds(4)) { !isExceeded() })
        }
    }

    @Test("a command whose reply was lost stops counting after ten checks, even if no command is answered")
    @Loop func lastCheck() async throws {
        try await RequesterFixture.run(answers: false, claimCheckInterval: .milliseconds(20)) { fixture async throws in
            let client = ClientKey.account(UUID())
            for _ in 0..<1250 {
                let outcome = await fixture.requester.send(
                    fixture.claiming(fixture.command, client, awaitsReply: false))
                try #require(outcome.isAccepted)
            }
            #expect(
                try await eventually {
                    !fixture.requester.exceedsShare(fixture.command, of: [client], bytes: 2)
                })
        }
    }

    @Test("the correlation ids of two requests do not show the next one")
    @Loop func unguessable() async throws {
        try await RequesterFixture.run(answers: false) { fixture async throws in
            for _ in 0..<3 { fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(30))) { _ in } }
            #expect(try await eventually { fixture.received.count == 3 })
            let nonces = fixture.received.compactMap { $0.properties.correlationID?.split(separator: ".").last }
            let numbers = nonces.compactMap { UInt64($0, radix: 36) }
            // Two numbers of 64 random bits are this close to each other once in four billion runs.
            let distances = zip(numbers, numbers.dropFirst()).map { max($0, $1) - min($0, $1) }
            #expect(distances.count == 2 && distances.allSatisfy { $0 > 1 << 31 })
        }
    }

    @Test("a requester with an existing reply queue gets its own replies and ignores replies to an earlier requester")
    @Loop func replyQueue() async throws {
        try await RequesterFixture.run(answers: false, hasReplyQueue: true) { fixture async throws in
            var ends: [RequestOutcome] = []
            fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(30))) { ends.append($0) }
            #expect(try await eventually { fixture.received.count == 1 })
            let request = try #require(fixture.received.first?.properties)
            let (key, correlation) = (try #require(request.replyTo), try #require(request.correlationID))
            let number = try #require(correlation.split(separator: ".").last)
            for other in [String(number), ".\(number)", "\(UUID.v7().text).\(number)", String(correlation.dropLast())] {
                try await fixture.publish(status: 200, correlation: other, to: key)
            }
            try await fixture.publish(status: 204, correlation: correlation, to: key)
            #expect(try await eventually { ends.count == 1 })
            #expect(ends.first?.reply?.status == 204)
            #expect(try await fixture.settles())
            #expect(ends.count == 1)
        }
    }

    @Test("a request whose type has no queue ends as unavailable at once")
    @Loop func returned() async throws {
        try await RequesterFixture.run(answers: false) { fixture async throws in
            for type in [fixture.unboundQuery, fixture.unboundCommand] {
                let outcome = await fixture.requester.send(fixture.request(type, timeout: .seconds(600)))
                #expect(outcome.isUnavailable)
            }
            #expect(fixture.requester.pendingCount == 0)
            #expect(
                fixture.requester.missingQueues == [fixture.unboundQuery.queue, fixture.unboundCommand.queue])
        }
    }

    @Test("a request whose queue is full ends as unavailable at once")
    @Loop func full() async throws {
        try await RequesterFixture.run(answers: false) { fixture async throws in
            let first = await fixture.requester.send(fixture.request(fixture.crowded, timeout: .milliseconds(300)))
            #expect(first.isAccepted)
            let second = await fixture.requester.send(fixture.request(fixture.crowded, timeout: .seconds(600)))
            #expect(second.isUnavailable)
        }
    }

    @Test("at its deadline a query ends with .deadlineExceeded, and a confirmed command as accepted")
    @Loop func deadline() async throws {
        try await RequesterFixture.run(answers: false) { fixture async throws in
            let query = await fixture.requester.send(fixture.request(fixture.query, timeout: .milliseconds(200)))
            #expect(query.isDeadlineExceeded)
            let command = await fixture.requester.send(fixture.request(fixture.command, timeout: .milliseconds(500)))
            #expect(command.isAccepted)
            #expect(fixture.requester.pendingCount == 0)
        }
    }

    @Test("a command whose sender does not wait for a reply ends as accepted when the broker confirms it")
    @Loop func accepted() async throws {
        try await RequesterFixture.run(answers: true) { fixture async throws in
            var request = fixture.request(fixture.command, timeout: .seconds(600))
            request.awaitsReply = false
            let outcome = await fixture.requester.send(request)
            #expect(outcome.isAccepted)
            #expect(try await eventually { fixture.received.count == 1 })
            let properties = try #require(fixture.received.first?.properties)
            #expect(properties.replyTo == nil && properties.isPersistent)
            #expect(properties.headers[Header.deadline]?.int64 == 0)
            for (type, isTaken) in [(fixture.unboundCommand, false), (fixture.crowded, true), (fixture.crowded, false)]
            {
                var request = fixture.request(type, timeout: .seconds(600))
                request.awaitsReply = false
                let outcome = await fixture.requester.send(request)
                #expect(isTaken ? outcome.isAccepted : outcome.isUnavailable)
            }
            #expect(fixture.requester.pendingCount == 0)
        }
    }

    @Test("if the connection breaks before the confirm, a query is unavailable and a command has an unknown outcome")
    @Loop func lost() async throws {
        try await RequesterFixture.run(answers: false) { fixture async throws in
            var ends: [String: [RequestOutcome]] = [:]
            fixture.proxy.stall()
            fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(60))) {
                ends["query", default: []].append($0)
            }
            fixture.requester.send(fixture.request(fixture.command, timeout: .seconds(1))) {
                ends["command", default: []].append($0)
            }
            var withoutReply = fixture.request(fixture.command, timeout: .seconds(600))
            withoutReply.awaitsReply = false
            fixture.requester.send(withoutReply) { ends["withoutReply", default: []].append($0) }
            #expect(try await eventually { fixture.publisher.outstandingCount == 3 })
            fixture.proxy.refuse()
            #expect(try await eventually { ends["query"]?.count == 1 })
            #expect(ends["query"]?.first?.isUnavailable == true)
            #expect(try await eventually { ends["withoutReply"]?.count == 1 })
            #expect(ends["withoutReply"]?.first?.isOutcomeUnknown == true)
            #expect(try await eventually { ends["command"]?.count == 1 })
            #expect(ends["command"]?.first?.isOutcomeUnknown == true)

            var atOnce: RequestOutcome?
            #expect(!fixture.requester.isAvailable)
            fixture.requester.send(fixture.request(fixture.command, timeout: .seconds(600))) { atOnce = $0 }
            #expect(atOnce?.isUnavailable == true, "without a connection, send() completes before it returns")
            fixture.proxy.resume()
            #expect(try await eventually(within: .seconds(30)) { fixture.requester.isAvailable })
            #expect(ends["query"]?.count == 1 && ends["command"]?.count == 1)
            #expect(fixture.requester.pendingCount == 0)
        }
    }

    @Test("a request over the limit ends as unavailable, and a later request is sent when another has ended")
    @Loop func limit() async throws {
        try await RequesterFixture.run(answers: false, limit: 3) { fixture async throws in
            var ends = 0
            for _ in 0..<3 {
                fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(2))) { _ in ends += 1 }
            }
            let refused = await fixture.requester.send(fixture.request(fixture.query, timeout: .seconds(600)))
            #expect(refused.isUnavailable)
            #expect(try await eventually { ends == 3 })
            let taken = await fixture.requester.send(fixture.request(fixture.query, timeout: .milliseconds(100)))
            #expect(taken.isDeadlineExceeded)
        }
    }
}

extension RequestOutcome {
    fileprivate var reply: Reply? { if case .reply(let reply) = self { reply } else { nil } }
    fileprivate var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
    fileprivate var isAccepted: Bool { if case .accepted = self { true } else { false } }
    fileprivate var isDeadlineExceeded: Bool { if case .deadlineExceeded = self { true } else { false } }
    fileprivate var isShareExceeded: Bool { if case .shareExceeded = self { true } else { false } }
    fileprivate var isOutcomeUnknown: Bool { if case .outcomeUnknown = self { true } else { false } }
}
