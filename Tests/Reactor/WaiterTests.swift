import Reactor
import Testing

@Suite("Waiter", .timeLimit(.minutes(1)))
@Loop struct WaiterTests {
    @Test("a wait returns the value with which its waiter is resumed")
    func value() async {
        let waiter = Waiter<Int>()
        Loop.schedule(after: .milliseconds(5)) { waiter.resume(returning: 7) }
        #expect(await waiter.wait() == 7)
        #expect(waiter.isEnded)
    }

    @Test("a wait returns at once if its waiter was resumed before the wait began")
    func early() async {
        let waiter = Waiter<Int>()
        waiter.resume(returning: 7)
        #expect(await waiter.wait() == 7)
    }

    @Test("only the first call of resume or cancel determines the result of a wait")
    func once() async {
        let waiter = Waiter<Int>()
        waiter.resume(returning: 1)
        waiter.resume(returning: 2)
        waiter.cancel()
        #expect(await waiter.wait() == 1)
        let cancelled = Waiter<Int>()
        cancelled.cancel()
        cancelled.resume(returning: 1)
        #expect(await cancelled.wait() == nil)
    }

    @Test("a wait without a value returns nil at its deadline and not earlier")
    func deadline() async {
        let start = ContinuousClock.now
        #expect(await Waiter<Int>().wait(until: start + .milliseconds(30)) == nil)
        #expect(ContinuousClock.now - start >= .milliseconds(30))
    }

    @Test("a wait whose deadline has already passed returns the value if the waiter was resumed before")
    func lateWithValue() async {
        let waiter = Waiter<Int>()
        waiter.resume(returning: 7)
        #expect(await waiter.wait(until: .now - .seconds(1)) == 7)
    }

    @Test("a wait returns nil if its task is cancelled before or during the wait")
    func cancellation() async {
        let before = Task { @Loop in
            withUnsafeCurrentTask { $0?.cancel() }
            return await Waiter<Int>().wait()
        }
        #expect(await before.value == nil)
        let during = Task { @Loop in await Waiter<Int>().wait() }
        Loop.schedule(after: .milliseconds(5)) { during.cancel() }
        #expect(await during.value == nil)
    }

    @Test("waitThroughCancellation continues to wait after its task is cancelled")
    func throughCancellation() async {
        let waiter = Waiter<Int>()
        let task = Task { @Loop in await waiter.waitThroughCancellation() }
        task.cancel()
        Loop.schedule(after: .milliseconds(20)) { waiter.resume(returning: 7) }
        #expect(await task.value == 7)
    }
}

@Suite("Signal", .timeLimit(.minutes(1)))
@Loop struct SignalTests {
    @Test("when a signal fires, all waiting tasks continue, and later waits return at once")
    func fire() async {
        let signal = Signal()
        let tasks = (0..<3).map { _ in Task { @Loop in await signal.wait() } }
        Loop.schedule(after: .milliseconds(5)) { signal.fire() }
        for task in tasks { #expect(await task.value) }
        #expect(await signal.wait())
        #expect(await signal.waitThroughCancellation())
    }

    @Test("a wait for a signal that does not fire returns false at its deadline")
    func limit() async {
        let signal = Signal()
        #expect(await !signal.wait(within: .milliseconds(5)))
        #expect(await !signal.waitThroughCancellation(within: .milliseconds(5)))
        #expect(!signal.isFired)
    }

    @Test("a cancelled wait for a signal returns false, and other waits for the signal continue")
    func cancellation() async {
        let signal = Signal()
        let cancelled = Task { @Loop in await signal.wait() }
        let other = Task { @Loop in await signal.wait() }
        Loop.schedule(after: .milliseconds(5)) { cancelled.cancel() }
        #expect(await !cancelled.value)
        signal.fire()
        #expect(await other.value)
    }
}
