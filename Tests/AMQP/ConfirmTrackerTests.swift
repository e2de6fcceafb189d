import Testing

@testable import AMQP

@Suite("Confirm tracker")
struct ConfirmTrackerTests {
    private typealias Tracker = ConfirmTracker<Int>

    private func identity(_ key: String, _ id: String? = nil) -> Tracker.Identity {
        .init(exchange: "e", routingKey: key, messageID: id, correlationID: nil)
    }

    /// Wraps a tracker in a class, because `#expect` cannot call mutating functions.
    private final class TrackerBox {
        private var tracker = Tracker()

        var count: Int { tracker.count }

        func publish(_ token: Int, identity: Tracker.Identity?) { tracker.publish(token, identity: identity) }

        func returned(_ identity: Tracker.Identity) -> Bool {
            tracker.returned(identity, code: 312, text: "NO_ROUTE")
        }

        func abandon() -> [Int] { tracker.abandon() }

        func confirm(_ tag: UInt64, multiple: Bool = false, isAck: Bool = true) -> [Int: Tracker.Confirmation] {
            var confirmed: [Tracker.Confirmed] = []
            tracker.confirm(tag, multiple: multiple, isAck: isAck, into: &confirmed)
            return Dictionary(uniqueKeysWithValues: confirmed.map { ($0.token, $0.confirmation) })
        }
    }

    @Test("a confirm reports one message, or with multiple also all earlier messages, and no message twice")
    func confirms() {
        let tracker = TrackerBox()
        for token in 1...5 { tracker.publish(token, identity: nil) }
        #expect(tracker.confirm(2) == [2: .ack])
        #expect(tracker.confirm(2).isEmpty)
        #expect(tracker.confirm(4, multiple: true) == [1: .ack, 3: .ack, 4: .ack])
        #expect(tracker.count == 1)
        #expect(tracker.confirm(4, multiple: true).isEmpty)
        #expect(tracker.confirm(5, isAck: false) == [5: .nack])
        #expect(tracker.count == 0)
    }

    @Test("a confirm of tag 0 with multiple reports all messages, and unknown tags are ignored")
    func oddTags() {
        let tracker = TrackerBox()
        for token in 1...3 { tracker.publish(token, identity: nil) }
        #expect(tracker.confirm(9).isEmpty)
        #expect(tracker.confirm(.max, multiple: true).isEmpty)
        #expect(tracker.confirm(0).isEmpty)
        #expect(tracker.confirm(0, multiple: true).count == 3)
    }

    @Test("a returned message is reported as returned when it is confirmed, and other messages as acknowledged")
    func matchesReturn() {
        let tracker = TrackerBox()
        tracker.publish(1, identity: identity("a", "1"))
        tracker.publish(2, identity: identity("b", "2"))
        tracker.publish(3, identity: nil)
        #expect(tracker.returned(identity("b", "2")))
        #expect(tracker.confirm(3, multiple: true) == [1: .ack, 2: .returned(code: 312, text: "NO_ROUTE"), 3: .ack])
    }

    @Test("returned messages with the same identity are matched in the order of publishing")
    func matchesInOrder() {
        let tracker = TrackerBox()
        for token in 1...3 { tracker.publish(token, identity: identity("a")) }
        #expect(tracker.returned(identity("a")))
        #expect(tracker.returned(identity("a")))
        let returned = Tracker.Confirmation.returned(code: 312, text: "NO_ROUTE")
        #expect(tracker.confirm(3, multiple: true) == [1: returned, 2: returned, 3: .ack])
    }

    @Test("a basic.return out of order is matched to its message, and an unknown or repeated one returns false")
    func findsOutOfOrder() {
        let tracker = TrackerBox()
        tracker.publish(1, identity: identity("a", "1"))
        tracker.publish(2, identity: identity("a", "2"))
        #expect(tracker.returned(identity("a", "2")))
        #expect(tracker.returned(identity("a", "1")))
        #expect(!tracker.returned(identity("a", "1")))
        #expect(!tracker.returned(identity("z")))
    }

    @Test("abandon() returns the unconfirmed messages, and sequence numbers start at 1 again")
    func abandons() {
        let tracker = TrackerBox()
        for token in 1...3 { tracker.publish(token, identity: nil) }
        _ = tracker.confirm(2)
        #expect(tracker.abandon() == [1, 3])
        tracker.publish(7, identity: nil)
        #expect(tracker.confirm(1) == [7: .ack])
    }
}
