import Testing

@testable import AMQP

@Suite("The tracker of confirms")
struct ConfirmTrackerTests {
    private typealias Tracker = ConfirmTracker<Int>

    private func identity(_ key: String, _ id: String? = nil) -> Tracker.Identity {
        .init(exchange: "e", routingKey: key, messageID: id, correlationID: nil)
    }

    /// A tracker that expectations can change.
    private final class Book {
        private var tracker = Tracker()

        var count: Int { tracker.count }

        func publish(_ token: Int, identity: Tracker.Identity?) { tracker.publish(token, identity: identity) }

        func returned(_ identity: Tracker.Identity) -> Bool {
            tracker.returned(identity, code: 312, text: "NO_ROUTE")
        }

        func abandon() -> [Int] { tracker.abandon() }

        func confirm(_ tag: UInt64, multiple: Bool = false, isAck: Bool = true) -> [Int: PublishError?] {
            var settlements: [Tracker.Settlement] = []
            tracker.confirm(tag, multiple: multiple, isAck: isAck, into: &settlements)
            var results: [Int: PublishError?] = [:]
            for (token, result) in settlements {
                if case .failure(let error) = result {
                    results[token] = .some(error)
                } else {
                    results[token] = .some(nil)
                }
            }
            return results
        }
    }

    @Test("settles one publish, or all up to one, and each once")
    func settles() {
        let tracker = Book()
        for token in 1...5 { tracker.publish(token, identity: nil) }
        #expect(tracker.confirm(2) == [2: nil])
        #expect(tracker.confirm(2).isEmpty)
        #expect(tracker.confirm(4, multiple: true) == [1: nil, 3: nil, 4: nil])
        #expect(tracker.count == 1)
        #expect(tracker.confirm(4, multiple: true).isEmpty)
        #expect(tracker.confirm(5, isAck: false) == [5: .refused])
        #expect(tracker.count == 0)
    }

    @Test("takes tag 0 for all, and passes over tags that were never published")
    func oddTags() {
        let tracker = Book()
        for token in 1...3 { tracker.publish(token, identity: nil) }
        #expect(tracker.confirm(9).isEmpty)
        #expect(tracker.confirm(.max, multiple: true).isEmpty)
        #expect(tracker.confirm(0).isEmpty)
        #expect(tracker.confirm(0, multiple: true).count == 3)
    }

    @Test("tells of a returned message with its confirm, and of its neighbours not")
    func matchesReturn() {
        let tracker = Book()
        tracker.publish(1, identity: identity("a", "1"))
        tracker.publish(2, identity: identity("b", "2"))
        tracker.publish(3, identity: nil)
        #expect(tracker.returned(identity("b", "2")))
        #expect(tracker.confirm(3, multiple: true) == [1: nil, 2: .returned(code: 312, text: "NO_ROUTE"), 3: nil])
    }

    @Test("matches returns that look alike in the order of publishing")
    func matchesInOrder() {
        let tracker = Book()
        for token in 1...3 { tracker.publish(token, identity: identity("a")) }
        #expect(tracker.returned(identity("a")))
        #expect(tracker.returned(identity("a")))
        let settled = tracker.confirm(3, multiple: true)
        #expect(settled[1] != .some(nil))
        #expect(settled[2] != .some(nil))
        #expect(settled[3] == .some(nil))
    }

    @Test("finds a return that comes out of order too, and knows what it never published")
    func findsOutOfOrder() {
        let tracker = Book()
        tracker.publish(1, identity: identity("a", "1"))
        tracker.publish(2, identity: identity("a", "2"))
        #expect(tracker.returned(identity("a", "2")))
        #expect(tracker.returned(identity("a", "1")))
        #expect(!tracker.returned(identity("a", "1")))
        #expect(!tracker.returned(identity("z")))
    }

    @Test("gives up what is unconfirmed, and counts from one again")
    func abandons() {
        let tracker = Book()
        for token in 1...3 { tracker.publish(token, identity: nil) }
        _ = tracker.confirm(2)
        #expect(tracker.abandon() == [1, 3])
        tracker.publish(7, identity: nil)
        #expect(tracker.confirm(1) == [7: nil])
    }
}
