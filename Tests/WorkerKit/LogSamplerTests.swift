import Testing
import WorkerKit

@Suite("The sampling of log lines")
struct LogSamplerTests {
    @Test("each second a limited number of lines is admitted, and the next line has the number of omitted ones")
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
