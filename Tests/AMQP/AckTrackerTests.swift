import TestData
import TestSupport
import Testing

@testable import AMQP

@Suite("Ack tracker")
struct AckTrackerTests {
    /// Wraps a tracker in a class, because `#expect` cannot call mutating functions.
    private final class Tracker {
        private var tracker = AckTracker()

        init(deliveries count: UInt64 = 0) {
            for tag in 0..<count { #expect(deliver(tag + 1)) }
        }

        var openCount: Int { tracker.openCount }
        var isDirty: Bool { tracker.isDirty }

        func deliver(_ tag: UInt64) -> Bool { tracker.deliver(tag) }
        func settle(_ tag: UInt64) -> Bool { tracker.settle(tag) }
        func remove(_ tag: UInt64) -> Bool { tracker.remove(tag) }

        func flush() -> [AckTracker.Ack] {
            var acks: [AckTracker.Ack] = []
            tracker.flush { acks.append($0) }
            return acks
        }
    }

    @Test("settled deliveries before the first open delivery are acknowledged with one basic.ack that has multiple set")
    func acknowledgesPrefix() {
        let tracker = Tracker(deliveries: 5)
        for tag: UInt64 in [1, 2, 3] { #expect(tracker.settle(tag)) }
        #expect(tracker.flush() == [.init(tag: 3, multiple: true)])
        #expect(tracker.openCount == 2)
        #expect(!tracker.isDirty)
        #expect(tracker.flush().isEmpty)
    }

    @Test("settled deliveries with a higher tag than an open delivery are acknowledged one by one")
    func keepsOpen() {
        let tracker = Tracker(deliveries: 4)
        for tag: UInt64 in [4, 2] { #expect(tracker.settle(tag)) }
        #expect(tracker.flush() == [.init(tag: 4, multiple: false), .init(tag: 2, multiple: false)])
        #expect(tracker.settle(1))
        #expect(tracker.flush() == [.init(tag: 1, multiple: false)])
        #expect(tracker.settle(3))
        #expect(tracker.flush() == [.init(tag: 3, multiple: false)])
        #expect(tracker.openCount == 0)
    }

    @Test("deliveries that were settled in reverse order are acknowledged with one basic.ack")
    func joinsPrefix() {
        let tracker = Tracker(deliveries: 3)
        for tag: UInt64 in [3, 2, 1] { #expect(tracker.settle(tag)) }
        #expect(tracker.flush() == [.init(tag: 3, multiple: true)])
    }

    @Test("settle, remove and deliver return false for a tag that is unknown, out of order or already settled")
    func refusesUnknownTags() {
        let tracker = Tracker(deliveries: 2)
        #expect(tracker.settle(2))
        #expect(!tracker.settle(2))
        #expect(!tracker.remove(2))
        #expect(!tracker.settle(0))
        #expect(!tracker.settle(3))
        #expect(!tracker.settle(.max))
        #expect(!tracker.deliver(7))
        #expect(tracker.remove(1))
        #expect(!tracker.settle(1))
        #expect(tracker.flush() == [.init(tag: 2, multiple: false)])
    }

    @Test(
        "in random orders of settling, each settled delivery is acknowledged once, and open deliveries are not",
        arguments: 0..<200)
    func randomOrders(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let tracker = Tracker()
        // The tags of the deliveries that the broker counts as unacknowledged.
        var unacknowledged = Set<UInt64>()
        var open: [UInt64] = []
        // The tags of the deliveries that are settled but not acknowledged yet.
        var awaitingAck = Set<UInt64>()
        var next: UInt64 = 1
        func check() {
            for ack in tracker.flush() {
                #expect(unacknowledged.contains(ack.tag))
                let acknowledged =
                    ack.multiple ? unacknowledged.filter { $0 <= ack.tag } : unacknowledged.intersection([ack.tag])
                #expect(acknowledged.isSubset(of: awaitingAck))
                unacknowledged.subtract(acknowledged)
                awaitingAck.subtract(acknowledged)
            }
            #expect(awaitingAck.isEmpty)
            #expect(unacknowledged == Set(open))
            #expect(tracker.openCount == open.count)
        }
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                #expect(tracker.deliver(next))
                unacknowledged.insert(next)
                open.append(next)
                next += 1
            case 4..<8:
                guard let index = open.indices.randomElement(using: &generator) else { continue }
                let tag = open.remove(at: index)
                #expect(tracker.settle(tag))
                awaitingAck.insert(tag)
            case 8:
                guard let index = open.indices.randomElement(using: &generator) else { continue }
                let tag = open.remove(at: index)
                #expect(tracker.remove(tag))
                unacknowledged.remove(tag)
            default: check()
            }
        }
        check()
    }
}
