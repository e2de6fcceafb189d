import Testing

@testable import WorkerKit

@Suite("Pending requests")
struct PendingRequestsTests {
    private struct Refused: Error {}

    private typealias Awaited = PendingRequests<String>.Awaited
    private let reply = Reply(status: 200, body: [])

    private func register(
        _ pending: inout PendingRequests<String>, _ awaited: Awaited, _ name: String
    ) throws -> UInt64 {
        guard let id = pending.register(awaited, name) else { throw Refused() }
        return id
    }

    private func outcome(_ end: (completion: String, outcome: RequestOutcome)?) -> String {
        switch end?.outcome {
        case nil: "none"
        case .accepted: "accepted"
        case .deadlineExceeded: "deadline"
        case .shareExceeded: "share exceeded"
        case .outcomeUnknown: "unknown"
        case .unavailable: "unavailable"
        case .reply: "reply"
        }
    }

    @Test("a request ends by its reply and does not end again")
    func answered() throws {
        var pending = PendingRequests<String>(limit: 2)
        let id = try register(&pending, .commandReply, "one")
        #expect(outcome(pending.confirm(id)) == "none")
        #expect(outcome(pending.answer(id, reply)) == "reply")
        #expect(outcome(pending.answer(id, reply)) == "none")
        #expect(outcome(pending.publishOutcomeUnknown(id)) == "none")
        #expect(outcome(pending.expire(id)) == "none")
        #expect(outcome(pending.confirm(id)) == "none")
        #expect(pending.count == 0)
    }

    @Test("at its deadline a confirmed command is accepted, another command has an unknown outcome, and a query fails")
    func expires() throws {
        var pending = PendingRequests<String>(limit: 10)
        let query = try register(&pending, .reply, "query")
        let confirmedQuery = try register(&pending, .reply, "query")
        let sent = try register(&pending, .commandReply, "sent")
        let confirmed = try register(&pending, .commandReply, "confirmed")
        let lost = try register(&pending, .commandReply, "lost")
        #expect(outcome(pending.confirm(confirmedQuery)) == "none")
        #expect(outcome(pending.confirm(confirmed)) == "none")
        #expect(outcome(pending.publishOutcomeUnknown(lost)) == "none")
        #expect(outcome(pending.expire(query)) == "deadline")
        #expect(outcome(pending.expire(confirmedQuery)) == "deadline")
        #expect(outcome(pending.expire(sent)) == "unknown")
        #expect(outcome(pending.expire(confirmed)) == "accepted")
        #expect(outcome(pending.expire(lost)) == "unknown")
        for id in [query, confirmedQuery, sent, confirmed, lost] {
            #expect(outcome(pending.answer(id, reply)) == "none")
            #expect(outcome(pending.expire(id)) == "none")
        }
    }

    @Test("if it is unknown whether a request was published, a query ends and a command still waits for its reply")
    func lost() throws {
        var pending = PendingRequests<String>(limit: 10)
        let query = try register(&pending, .reply, "query")
        let credential = try register(&pending, .credentialReply, "credential")
        let command = try register(&pending, .commandReply, "command")
        #expect(outcome(pending.publishOutcomeUnknown(query)) == "unavailable")
        // A credential may be carried out: an account may be registered.
        #expect(outcome(pending.publishOutcomeUnknown(credential)) == "unknown")
        #expect(outcome(pending.publishOutcomeUnknown(command)) == "none")
        #expect(outcome(pending.answer(command, reply)) == "reply")
    }

    @Test("a command that waits for its confirm ends as accepted with the confirm and as unknown without it")
    func confirmed() throws {
        var pending = PendingRequests<String>(limit: 10)
        let ids = try (0..<3).map { _ in try register(&pending, .confirm, "command") }
        #expect(outcome(pending.confirm(ids[0])) == "accepted")
        #expect(outcome(pending.confirm(ids[0])) == "none")
        #expect(outcome(pending.publishOutcomeUnknown(ids[1])) == "unknown")
        #expect(outcome(pending.expire(ids[2])) == "unknown")
        #expect(pending.count == 0)
    }

    @Test("a request over the limit is refused until another request has ended, and numbers are not reused")
    func limited() throws {
        var pending = PendingRequests<String>(limit: 2)
        let first = try register(&pending, .reply, "1")
        let second = try register(&pending, .reply, "2")
        #expect(throws: (any Error).self) { try register(&pending, .reply, "3") }
        #expect(outcome(pending.answer(first, reply)) == "reply")
        let third = try register(&pending, .reply, "3")
        #expect(Set([first, second, third]).count == 3)
        #expect(throws: (any Error).self) { try register(&pending, .reply, "4") }
        #expect(pending.count == 2)
    }

    @Test("a reply that arrives before the confirm ends a request that waits for the confirm as accepted")
    func replyBeforeConfirm() throws {
        var pending = PendingRequests<String>(limit: 10)
        let id = try register(&pending, .confirm, "one")
        #expect(outcome(pending.answer(id, reply)) == "accepted")
        #expect(outcome(pending.confirm(id)) == "none")
    }
}
