import Testing

@testable import AMQP

@Suite("The ledger of acknowledgements")
struct AckLedgerTests {
    /// A ledger that expectations can change.
    private final class Book {
        private var ledger = AckLedger()

        init(of count: UInt64 = 0) {
            for tag in 0..<count { #expect(deliver(tag + 1)) }
        }

        var openCount: Int { ledger.openCount }
        var isDirty: Bool { ledger.isDirty }

        func deliver(_ tag: UInt64) -> Bool { ledger.deliver(tag) }
        func settle(_ tag: UInt64) -> Bool { ledger.settle(tag) }
        func remove(_ tag: UInt64) -> Bool { ledger.remove(tag) }

        func flush() -> [AckLedger.Ack] {
            var acks: [AckLedger.Ack] = []
            ledger.flush { acks.append($0) }
            return acks
        }
    }

    @Test("acknowledges a run of settled deliveries at once")
    func settlesRun() {
        let ledger = Book(of: 5)
        for tag: UInt64 in [1, 2, 3] { #expect(ledger.settle(tag)) }
        #expect(ledger.flush() == [.init(tag: 3, multiple: true)])
        #expect(ledger.openCount == 2)
        #expect(!ledger.isDirty)
        #expect(ledger.flush().isEmpty)
    }

    @Test("acknowledges nothing that is open, whatever is settled behind it")
    func keepsOpen() {
        let ledger = Book(of: 4)
        for tag: UInt64 in [4, 2] { #expect(ledger.settle(tag)) }
        #expect(ledger.flush() == [.init(tag: 4, multiple: false), .init(tag: 2, multiple: false)])
        #expect(ledger.settle(1))
        #expect(ledger.flush() == [.init(tag: 1, multiple: false)])
        #expect(ledger.settle(3))
        #expect(ledger.flush() == [.init(tag: 3, multiple: false)])
        #expect(ledger.openCount == 0)
    }

    @Test("tells once of what was settled out of order and then joined the run")
    func joinsRun() {
        let ledger = Book(of: 3)
        for tag: UInt64 in [3, 2, 1] { #expect(ledger.settle(tag)) }
        #expect(ledger.flush() == [.init(tag: 3, multiple: true)])
    }

    @Test("settles nothing twice and nothing that was never delivered")
    func refusesStrangers() {
        let ledger = Book(of: 2)
        #expect(ledger.settle(2))
        #expect(!ledger.settle(2))
        #expect(!ledger.remove(2))
        #expect(!ledger.settle(0))
        #expect(!ledger.settle(3))
        #expect(!ledger.settle(.max))
        #expect(!ledger.deliver(7))
        #expect(ledger.remove(1))
        #expect(!ledger.settle(1))
        #expect(ledger.flush() == [.init(tag: 2, multiple: false)])
    }

    @Test("over random orders the broker learns of each settled delivery once and of no other", arguments: 0..<200)
    func randomOrders(seed: Int) {
        var generator = SplitMix(seed: UInt64(seed))
        let ledger = Book()
        var broker = Set<UInt64>()
        var open: [UInt64] = []
        var settled = Set<UInt64>()
        var next: UInt64 = 1
        func check() {
            for ack in ledger.flush() {
                let told = ack.multiple ? broker.filter { $0 <= ack.tag } : broker.intersection([ack.tag])
                #expect(broker.contains(ack.tag))
                #expect(told.isSubset(of: settled))
                broker.subtract(told)
                settled.subtract(told)
            }
            #expect(settled.isEmpty)
            #expect(broker == Set(open))
            #expect(ledger.openCount == open.count)
        }
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                #expect(ledger.deliver(next))
                broker.insert(next)
                open.append(next)
                next += 1
            case 4..<8:
                guard let index = open.indices.randomElement(using: &generator) else { continue }
                let tag = open.remove(at: index)
                #expect(ledger.settle(tag))
                settled.insert(tag)
            case 8:
                guard let index = open.indices.randomElement(using: &generator) else { continue }
                let tag = open.remove(at: index)
                #expect(ledger.remove(tag))
                broker.remove(tag)
            default: check()
            }
        }
        check()
    }
}

/// Random numbers that come again with the same seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
