import TestSupport
import Testing

@testable import AMQP

@Suite("Ack tracker")
struct AckTrackerTests {
    /// A tracker as a class, because `#expect` cannot call mutating functions.
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

    @Test("consecutive settled deliveries are acknowledged with one multiple ack")
    func acknowledgesPrefix() {
        let tracker = Tracker(deliveries: 5)
        for tag: UInt64 in [1, 2, 3] { #expect(tracker.settle(tag)) }
        #expect(tracker.flush() == [.init(tag: 3, multiple: true)])
        #expect(tracker.openCount == 2)
        #expect(!tracker.isDirty)
        #expect(tracker.flush().isEmpty)
    }

    @Test("deliveries settled behind an open one are acknowledged one by one, and the open one is not")
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

    @Test("a delivery settled out of order that joins the prefix is acknowledged once")
    func joinsPrefix() {
        let tracker = Tracker(deliveries: 3)
        for tag: UInt64 in [3, 2, 1] { #expect(tracker.settle(tag)) }
        #expect(tracker.flush() == [.init(tag: 3, multiple: true)])
    }

    @Test("a delivery is settled only once, and unknown tags are refused")
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

    @Test("in random orders each settled delivery is acknowledged once and no open one is", arguments: 0..<200)
    func randomOrders(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let tracker = Tracker()
        var broker = Set<UInt64>()
        var open: [UInt64] = []
        var settled = Set<UInt64>()
        var next: UInt64 = 1
        func check() {
            for ack in tracker.flush() {
                let told = ack.multiple ? broker.filter { $0 <= ack.tag } : broker.intersection([ack.tag])
                #expect(broker.contains(ack.tag))
                #expect(told.isSubset(of: settled))
                broker.subtract(told)
                settled.subtract(told)
            }
            #expect(settled.isEmpty)
            #expect(broker == Set(open))
            #expect(tracker.openCount == open.count)
        }
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                #expect(tracker.deliver(next))
                broker.insert(next)
                open.append(next)
                next += 1
            case 4..<8:
                guard let index = open.indices.randomElement(using: &generator) else { continue }
                let tag = open.remove(at: index)
                #expect(tracker.settle(tag))
                settled.insert(tag)
            case 8:
                guard let index = open.indices.randomElement(using: &generator) else { continue }
                let tag = open.remove(at: index)
                #expect(tracker.remove(tag))
                broker.remove(tag)
            default: check()
            }
        }
        check()
    }
}
