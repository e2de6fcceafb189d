import Testing

@testable import WorkerKit

@Suite("A request that waits")
struct PendingRequestsTests {
    private struct Refused: Error {}

    private typealias Awaited = PendingRequests<String>.Awaited

    private func register(
        _ pending: inout PendingRequests<String>, _ awaited: Awaited, _ name: String
    ) throws -> UInt64 {
        guard let id = pending.register(awaited, name) else { throw Refused() }
        return id
    }

    private func outcome(_ end: (waiter: String, outcome: RequestOutcome)?) -> String {
        switch end?.outcome {
        case nil: "none"
        case .accepted: "accepted"
        case .deadlineExceeded: "deadline"
        case .outcomeUnknown: "unknown"
        case .unavailable: "unavailable"
        case .reply: "other"
        }
    }

    @Test("ends by its reply, and then by nothing else")
    func answered() throws {
        var pending = PendingRequests<String>(limit: 2)
        let id = try register(&pending, .commandReply, "one")
        #expect(outcome(pending.confirm(id)) == "none")
        #expect(pending.answer(id) == "one")
        #expect(pending.answer(id) == nil)
        #expect(outcome(pending.loseSight(of: id)) == "none")
        #expect(outcome(pending.expire(id)) == "none")
        #expect(outcome(pending.confirm(id)) == "none")
        #expect(pending.count == 0)
    }

    @Test("ends at its deadline as what is known of it says")
    func expires() throws {
        var pending = PendingRequests<String>(limit: 10)
        let query = try register(&pending, .reply, "query")
        let confirmedQuery = try register(&pending, .reply, "query")
        let sent = try register(&pending, .commandReply, "sent")
        let confirmed = try register(&pending, .commandReply, "confirmed")
        let lost = try register(&pending, .commandReply, "lost")
        #expect(outcome(pending.confirm(confirmedQuery)) == "none")
        #expect(outcome(pending.confirm(confirmed)) == "none")
        #expect(outcome(pending.loseSight(of: lost)) == "none")
        #expect(outcome(pending.expire(query)) == "deadline")
        #expect(outcome(pending.expire(confirmedQuery)) == "deadline")
        #expect(outcome(pending.expire(sent)) == "unknown")
        #expect(outcome(pending.expire(confirmed)) == "accepted")
        #expect(outcome(pending.expire(lost)) == "unknown")
        for id in [query, confirmedQuery, sent, confirmed, lost] {
            #expect(pending.answer(id) == nil)
            #expect(outcome(pending.expire(id)) == "none")
        }
    }

    @Test("that is a query ends as soon as its publish is lost sight of, a command waits on for its reply")
    func lost() throws {
        var pending = PendingRequests<String>(limit: 10)
        let query = try register(&pending, .reply, "query")
        let command = try register(&pending, .commandReply, "command")
        #expect(outcome(pending.loseSight(of: query)) == "unavailable")
        #expect(outcome(pending.loseSight(of: command)) == "none")
        #expect(pending.answer(command) == "command")
    }

    @Test("that waits for the broker alone ends as accepted with its confirm, and is unknown without one")
    func confirmed() throws {
        var pending = PendingRequests<String>(limit: 10)
        let ids = try (0..<3).map { _ in try register(&pending, .confirm, "command") }
        #expect(outcome(pending.confirm(ids[0])) == "accepted")
        #expect(outcome(pending.confirm(ids[0])) == "none")
        #expect(outcome(pending.loseSight(of: ids[1])) == "unknown")
        #expect(outcome(pending.expire(ids[2])) == "unknown")
        #expect(pending.count == 0)
    }

    @Test("is refused where as many wait as may, and taken again when one has ended; ids are never used twice")
    func limited() throws {
        var pending = PendingRequests<String>(limit: 2)
        let first = try register(&pending, .reply, "1")
        let second = try register(&pending, .reply, "2")
        #expect(throws: (any Error).self) { try register(&pending, .reply, "3") }
        #expect(pending.answer(first) == "1")
        let third = try register(&pending, .reply, "3")
        #expect(Set([first, second, third]).count == 3)
        #expect(throws: (any Error).self) { try register(&pending, .reply, "4") }
        #expect(pending.count == 2)
    }
}
