import Testing

@testable import Reactor

@Suite("Timers")
struct TimerTests {
    @Test("timers fire in the order of their deadlines and never early")
    @Loop func fireInOrder() async throws {
        var fired: [Int] = []
        let start = ContinuousClock.now
        var isEarly = false
        for delay in [30, 10, 20] {
            Loop.schedule(after: .milliseconds(delay)) {
                fired.append(delay)
                if ContinuousClock.now - start < .milliseconds(delay) { isEarly = true }
            }
        }
        try await Loop.sleep(for: .milliseconds(60))
        #expect(fired == [10, 20, 30])
        #expect(!isEarly)
    }

    @Test("a cancelled timer does not fire")
    @Loop func cancel() async throws {
        var fired = false
        let timer = Loop.schedule(after: .milliseconds(10)) { fired = true }
        timer.cancel()
        try await Loop.sleep(for: .milliseconds(30))
        #expect(!fired)
    }

    @Test("Loop.sleep throws CancellationError at once when its task is cancelled")
    @Loop func sleepCancels() async throws {
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) { try await Loop.sleep(for: .seconds(60)) }
            }
            group.cancelAll()
        }
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("cancelled timers do not accumulate in the timer queue")
    func cancelledAreDropped() {
        var queue = TimerQueue()
        let kept = queue.insert(at: .now + .seconds(100)) {}
        for _ in 0..<10_000 {
            queue.cancel(queue.insert(at: .now + .seconds(5)) {})
        }
        #expect(queue.count == 1)
        #expect(queue.storedCount < 100)
        queue.cancel(kept)
        #expect(queue.next() == nil)
    }
}
