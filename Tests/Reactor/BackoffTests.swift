import Reactor
import Testing

@Suite("Backoff")
struct BackoffTests {
    @Test("backoff delays double up to the longest delay and then stay the same")
    func doubling() {
        var backoff = Backoff(.milliseconds(100) ... .seconds(5))
        let longest = (0..<8).map { _ in backoff.next(jitter: 1) }
        #expect(longest == [100, 200, 400, 800, 1600, 3200, 5000, 5000].map { .milliseconds($0) })
        backoff.reset()
        let shortest = (0..<8).map { _ in backoff.next(jitter: 0) }
        #expect(shortest == [50, 100, 200, 400, 800, 1600, 2500, 2500].map { .milliseconds($0) })
    }

    @Test("the jitter is random and makes each delay between half of its maximum and its maximum")
    func jitter() {
        let delays = (0..<1000).map { _ in
            var backoff = Backoff(.milliseconds(100) ... .seconds(5))
            return backoff.next()
        }
        #expect(delays.allSatisfy { (.milliseconds(50) ... .milliseconds(100)).contains($0) })
        #expect(Set(delays).count > 900)
    }

    @Test("a backoff that was reset starts again with the first delay")
    func reset() {
        var backoff = Backoff(.milliseconds(10) ... .milliseconds(40))
        #expect(backoff.isReset)
        _ = backoff.next()
        _ = backoff.next()
        #expect(!backoff.isReset)
        backoff.reset()
        #expect(backoff.isReset)
        #expect(backoff.next(jitter: 1) == .milliseconds(10))
    }
}
