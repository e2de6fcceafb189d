import TestData
import TestSupport
import Testing

@testable import Contracts

@Suite("Ordered clock")
struct OrderedClockTests {
    private func times(_ steps: [(system: Int64, elapsed: Int64)]) -> [Int64] {
        var clock = OrderedClock()
        let start = ContinuousClock.now
        return steps.map { step in
            clock.time(
                system: Timestamp(milliseconds: step.system), at: start + .milliseconds(step.elapsed)
            ).milliseconds
        }
    }

    @Test("times are those of the system clock as long as it is not set back")
    func forward() {
        #expect(times([(100, 0), (100, 1), (150, 50), (9_000, 51)]) == [100, 100, 150, 9_000])
    }

    @Test("after the system clock was set back, times advance at half speed until it has caught up")
    func setBack() {
        let steps: [(Int64, Int64)] = [(10_000, 0), (4_000, 10), (4_100, 110), (8_000, 4_010), (16_000, 12_010)]
        #expect(times(steps) == [10_000, 10_005, 10_055, 12_005, 16_000])
        #expect(times(steps + [(17_000, 13_010)]).last == 17_000)
    }

    @Test("times never decrease when the system clock is set back and forth")
    func neverBack() {
        var generator = SeededGenerator(seed: 11)
        var steps: [(Int64, Int64)] = []
        for index in 0..<1_000 {
            steps.append((Int64.random(in: 0...10_000, using: &generator), Int64(index * 7)))
        }
        let result = times(steps)
        #expect(result == result.sorted())
    }
}
