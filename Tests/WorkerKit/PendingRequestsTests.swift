import Testing

@testable import WorkerKit

@Suite("A request that waits")
struct PendingRequestsTests {
    private struct Refused: Error {}

    private func register(_ pending: inout PendingRequests<String>, isCommand: Bool, _ name: String) throws -> UInt64 {
        guard let id = pending.register(isCommand: isCommand, name) else { throw Refused() }
        return id
    }

    private func outcome(_ end: (waiter: String, outcome: RequestOutcome)?) -> String {
        switch end?.outcome {
        case nil: "none"
        case .accepted: "accepted"
        case .deadlineExceeded: "deadline"
        case .outcomeUnknown: "unknown"
        case .reply, .unavailable: "other"
        }
    }

    @Test("ends by its reply, and then by nothing else")
    func answered() throws {
        var pending = PendingRequests<String>(limit: 2)
        let id = try register(&pending, isCommand: true, "one")
        pending.confirm(id)
        #expect(pending.answer(id) == "one")
        #expect(pending.answer(id) == nil)
        #expect(pending.loseSight(of: id) == nil)
        #expect(outcome(pending.expire(id)) == "none")
        pending.confirm(id)
        #expect(pending.count == 0)
    }

    @Test("ends at its deadline as what is known of it says")
    func expires() throws {
        var pending = PendingRequests<String>(limit: 10)
        let query = try register(&pending, isCommand: false, "query")
        let confirmedQuery = try register(&pending, isCommand: false, "query")
        let sent = try register(&pending, isCommand: true, "sent")
        let confirmed = try register(&pending, isCommand: true, "confirmed")
        let lost = try register(&pending, isCommand: true, "lost")
        pending.confirm(confirmedQuery)
        pending.confirm(confirmed)
        #expect(pending.loseSight(of: lost) == nil)
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
        let query = try register(&pending, isCommand: false, "query")
        let command = try register(&pending, isCommand: true, "command")
        #expect(pending.loseSight(of: query) == "query")
        #expect(pending.loseSight(of: command) == nil)
        #expect(pending.answer(command) == "command")
    }

    @Test("is refused where as many wait as may, and taken again when one has ended; ids are never used twice")
    func limited() throws {
        var pending = PendingRequests<String>(limit: 2)
        let first = try register(&pending, isCommand: false, "1")
        let second = try register(&pending, isCommand: false, "2")
        #expect(throws: (any Error).self) { try register(&pending, isCommand: false, "3") }
        #expect(pending.answer(first) == "1")
        let third = try register(&pending, isCommand: false, "3")
        #expect(Set([first, second, third]).count == 3)
        #expect(throws: (any Error).self) { try register(&pending, isCommand: false, "4") }
        #expect(pending.count == 2)
    }
}
