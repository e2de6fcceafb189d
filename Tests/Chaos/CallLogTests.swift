import ChaosKit
import Contracts
import Testing

@Suite("Call log") struct CallLogTests {
    private let start = ContinuousClock.now

    @Test("the longest interruption is the longest time without a success")
    func interruption() {
        var log = CallLog()
        for (second, status) in [(1.0, 200), (2, 503), (2.5, 201), (9, 200)] { log.add(call(.post, second, status)) }
        log.add(call(.media, 5, 200))
        #expect(log.longestInterruption(of: .post, since: start) == .seconds(6.5))
    }

    @Test("an interruption that does not end lasts until the start of the last call")
    func endless() {
        var log = CallLog()
        for (second, status) in [(1.0, 200), (5, 503), (20, 503)] { log.add(call(.post, second, status)) }
        #expect(log.longestInterruption(of: .post, since: start) == .seconds(18.9))
    }

    @Test("the first success after an instant is a call that began after it")
    func firstSuccess() {
        var log = CallLog()
        log.add(call(.post, 5, 200, took: 3))
        log.add(call(.post, 6, 503))
        log.add(call(.post, 6.5, 202))
        log.add(call(.post, 7, 200))
        #expect(log.firstSuccess(of: "GET /", after: start + .seconds(4)) == .seconds(3))
        #expect(log.firstSuccess(of: "POST /", after: start) == nil)
    }

    private func call(_ service: ServiceName, _ second: Double, _ status: Int?, took: Double = 0.1) -> CallRecord {
        CallRecord(
            service, "GET /", status: status, began: start + .seconds(second - took), ended: start + .seconds(second))
    }
}
