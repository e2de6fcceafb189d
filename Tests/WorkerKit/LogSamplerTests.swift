import Testing
import WorkerKit

@Suite("The sampling of log lines")
struct LogSamplerTests {
    @Test("each second admits a limited number of lines, and the next admitted line reports how many were omitted")
    func limit() {
        let start = ContinuousClock.now
        let sampler = LogSampler(limit: 2, now: start)
        #expect((0..<5).map { _ in sampler.admit(at: start) } == [0, 0, nil, nil, nil])
        #expect(sampler.admit(at: start + .milliseconds(999)) == nil)
        #expect(sampler.admit(at: start + .seconds(1)) == 4)
        #expect(sampler.admit(at: start + .seconds(1)) == 0)
        #expect(sampler.admit(at: start + .seconds(1)) == nil)
    }
}
