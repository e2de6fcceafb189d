import TestData
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Batch queue")
struct BatchQueueTests {
    @Test("the first message starts a batch, and messages that arrive while it runs wait")
    func firstStarts() {
        var queue = BatchQueue<Int>(limit: 10)
        let starts = queue.add(1)
        #expect(starts)
        let others = queue.takeOthers()
        #expect(others == [])
        let startsAgain = queue.add(2)
        #expect(!startsAgain)
        let startsThird = queue.add(3)
        #expect(!startsThird)
    }

    @Test("messages that arrive before a batch has begun join it in the order of their arrival")
    func joining() {
        var queue = BatchQueue<Int>(limit: 10)
        _ = queue.add(1)
        _ = queue.add(2)
        _ = queue.add(3)
        let others = queue.takeOthers()
        #expect(others == [2, 3])
    }

    @Test("the message that has waited longest begins the next batch, and the others join it")
    func next() {
        var queue = BatchQueue<Int>(limit: 10)
        _ = queue.add(1)
        _ = queue.takeOthers()
        for message in 2...4 { _ = queue.add(message) }
        let first = queue.finish()
        #expect(first == 2)
        let others = queue.takeOthers()
        #expect(others == [3, 4])
        let starts = queue.add(5)
        #expect(!starts)
        let second = queue.finish()
        #expect(second == 5)
    }

    @Test("after the last batch the next message starts a batch again")
    func idle() {
        var queue = BatchQueue<Int>(limit: 10)
        _ = queue.add(1)
        let none = queue.finish()
        #expect(none == nil)
        let starts = queue.add(2)
        #expect(starts)
    }

    @Test("with random arrivals each message is in one batch, batches obey the limit, and one batch runs at a time")
    func random() {
        var generator = SeededGenerator(seed: 7)
        for limit in 1...5 {
            var queue = BatchQueue<Int>(limit: limit)
            var running: [Int] = []
            var finished: [Int] = []
            var arrived = 0
            for _ in 0..<1000 {
                if Bool.random(using: &generator) {
                    let starts = queue.add(arrived)
                    #expect(starts == running.isEmpty)
                    if starts { running = [arrived] + queue.takeOthers() }
                    arrived += 1
                } else if !running.isEmpty {
                    finished += running
                    running = queue.finish().map { [$0] + queue.takeOthers() } ?? []
                }
                #expect(running.count <= limit)
            }
            while !running.isEmpty {
                finished += running
                running = queue.finish().map { [$0] + queue.takeOthers() } ?? []
            }
            #expect(finished == Array(0..<arrived))
        }
    }
}
