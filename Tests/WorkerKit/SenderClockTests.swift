import Contracts
import Testing

@testable import WorkerKit

@Suite("Clocks of senders")
struct SenderClockTests {
    private let start = ContinuousClock.now
    private let sent = Timestamp(milliseconds: 1_000_000)

    @Test(
        "a message shows that this clock is ahead if it arrives after its expiration, and behind if before it was sent",
        arguments: [
            (0, nil), (999, nil), (5_900, nil), (6_900, nil), (7_100, 1_100), (12_000, 6_000), (-900, nil),
            (-6_000, -6_000),
        ] as [(Int, Int?)])
    func differences(age: Int, difference: Int?) {
        var clock = SenderClock(now: start)
        let result = clock.difference(
            sent: sent, expiration: .seconds(5), arrived: sent.advanced(by: .milliseconds(age)), now: start)
        #expect(result == difference.map { .milliseconds($0) })
    }

    @Test("a message without an expiration can wait for any time, so it never shows that this clock is ahead")
    func unlimited() {
        var clock = SenderClock(now: start)
        let arrived = sent.advanced(by: .seconds(3_600))
        #expect(clock.difference(sent: sent, expiration: nil, arrived: arrived, now: start) == nil)
    }

    @Test("a difference is reported at most once a minute")
    func reports() {
        var clock = SenderClock(now: start)
        func isReported(after seconds: Int) -> Bool {
            clock.difference(
                sent: sent, expiration: nil, arrived: sent.advanced(by: .seconds(-6)), now: start + .seconds(seconds))
                != nil
        }
        #expect([0, 1, 59, 60, 61, 121].map(isReported) == [true, false, false, true, false, true])
    }

    @Test("the lag is the largest one of the last five to ten minutes")
    func lag() {
        var clock = SenderClock(now: start)
        func lag(after seconds: Int, age: Int) -> Duration {
            _ = clock.difference(
                sent: sent, expiration: nil, arrived: sent.advanced(by: .seconds(age)), now: start + .seconds(seconds))
            return clock.lag
        }
        #expect(lag(after: 0, age: 2) == .zero)
        #expect(lag(after: 1, age: -6) == .seconds(6))
        #expect(lag(after: 299, age: -2) == .seconds(6))
        #expect(lag(after: 301, age: -2) == .seconds(6))
        #expect(lag(after: 602, age: 1) == .seconds(2))
        #expect(lag(after: 2_000, age: 1) == .zero)
    }
}
