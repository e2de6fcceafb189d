import ChaosKit
import Contracts
import Testing

@Suite("Check of the calls") struct CallCheckTests {
    private let start = ContinuousClock.now

    @Test("a call that fails is a finding if no fault affects its service")
    func unexplained() {
        let window = window(Allowance(affected: [.post]))
        #expect(findings([call(.post, at: 12, 503)], window) == [])
        #expect(findings([call(.media, at: 12, 503)], window) == ["GET /media got 503 (1 calls)"])
        #expect(findings([call(.post, at: 5, 504)], window) == ["GET /post got 504 (1 calls)"])
    }

    @Test("a call that fails is a finding some seconds after the services have recovered")
    func failureAfterRecovery() {
        var window = window(Allowance(affected: [.post]))
        let early = [call(.post, at: 24.5, 503)]
        let late = [call(.post, at: 25.5, 503)]
        window.recovered = start + .seconds(21)
        #expect(findings(early, window) == [])
        #expect(findings(late, window) == ["GET /post got 503 (1 calls)"])
        // Without a recovery, calls may fail until the limit of the fault has passed.
        window.recovered = nil
        #expect(findings(late, window) == [])
        #expect(findings([call(.post, at: 34.5, 503)], window) == ["GET /post got 503 (1 calls)"])
    }

    @Test("a 202, a 429 and a lost response are findings unless the fault allows them")
    func statuses() {
        let calls = [call(.post, at: 12, 202), call(.post, at: 12, 429), call(.post, at: 12, nil)]
        #expect(findings(calls, window(Allowance())).count == 3)
        let allowance = Allowance(delayed: [.post], allowsTooManyRequests: true)
        #expect(findings(calls, window(allowance)) == ["GET /post got no response (1 calls)"])
        #expect(findings([call(.post, at: 12, 500)], window(allowance)).count == 1)
    }

    @Test("a response is lost only if the killed ingress had the request")
    func lostResponses() {
        var window = window(Allowance())
        window.killedIngress = "one"
        #expect(findings([lost(at: 10.5, "one")], window) == [])
        #expect(findings([lost(at: 10.5, "two")], window).count == 1)
        #expect(findings([lost(at: 12, "one")], window).count == 1)
    }

    private func lost(at second: Double, _ address: String) -> CallRecord {
        CallRecord(
            .post, "GET /post", status: nil, address: address, began: start + .seconds(second),
            ended: start + .seconds(second + 1))
    }

    @Test("a request that should be refused must not be served")
    func wantedStatus() {
        func record(_ status: Int) -> CallRecord {
            CallRecord(.post, "DELETE /post", status: status, wanted: 412, began: start, ended: start)
        }
        #expect(findings([record(412)], window(Allowance())) == [])
        #expect(findings([record(204)], window(Allowance())) == ["DELETE /post got 204 (1 calls)"])
        #expect(findings([record(503)], window(Allowance())) == ["DELETE /post got 503 (1 calls)"])
    }

    @Test("a request that fails late is a finding between the detection of its only fault and the removal")
    func slowRefusals() {
        let window = window(Allowance(affected: [.post], detection: .seconds(2)))
        let finding = ["GET /post failed with 504 only after more than a second (1 calls)"]
        #expect(findings([call(.post, at: 12, 504, took: 5)], window) == [])
        #expect(findings([call(.post, at: 14, 504, took: 5)], window) == finding)
        #expect(findings([call(.post, at: 14, 503)], window) == [])
        // While a server starts, a request may reach it before all processes have reconnected.
        #expect(findings([call(.post, at: 19, 504, took: 5)], window) == [])
        // Another fault at the same time can delay the detection, but not one of another service.
        let slow = [call(.post, at: 14, 504, took: 5)]
        #expect(findings(slow, window, self.window(Allowance(affected: [.post]))) == [])
        #expect(findings(slow, window, self.window(Allowance(affected: [.media]))) == finding)
    }

    @Test("a command that waited for the end of the fault, and was then refused as wanted, has not failed late")
    func wantedRefusal() {
        let refused = CallRecord(
            .post, "DELETE /post", status: 412, wanted: 412, began: start + .seconds(14), ended: start + .seconds(18))
        #expect(findings([refused], window(Allowance(affected: [.post], detection: .seconds(2)))) == [])
    }

    @Test("a request that takes longer than the fault allows is a finding, unless another fault affects its service")
    func slowCalls() {
        let window = window(Allowance(maximumLatency: .seconds(1)))
        let calls = [call(.post, at: 12, 200, took: 4)]
        #expect(findings(calls, window) == ["GET /post took longer than 1.0 s (1 calls)"])
        #expect(findings(calls, window, self.window(Allowance(affected: [.post]))) == [])
    }

    @Test("two requests that are slightly too slow are no finding, and three are")
    func noise() {
        let window = window(Allowance(maximumLatency: .seconds(1)))
        let slow = call(.post, at: 12, 200, took: 2)
        #expect(findings([slow, slow], window) == [])
        #expect(findings([slow, slow, slow], window) == ["GET /post took longer than 1.0 s (3 calls)"])
    }

    @Test("a request that takes longer than every time limit of the ingress is a finding")
    func endlessCalls() {
        let window = window(Allowance(affected: [.post, .media]))
        #expect(
            findings([call(.post, at: 12, 200, took: 9)], window) == ["GET /post took longer than 8.0 s (1 calls)"])
        #expect(findings([record(.media, "POST /v1/media", at: 12, 202, took: 30)], window) == [])
    }

    @Test("a 503 without Retry-After is a finding")
    func retryAfter() {
        let refused = CallRecord(
            .post, "GET /post", status: 503, hasRetryAfter: false, began: start + .seconds(12),
            ended: start + .seconds(12))
        #expect(
            findings([refused], window(Allowance(affected: [.post])))
                == ["GET /post got 503 without Retry-After (1 calls)"])
    }

    @Test("a fault without the calls that its effect causes is a finding")
    func evidence() {
        let status = window(Allowance(affected: [.post], evidence: .status([503, nil], of: "GET /post")))
        #expect(findings([], status) == ["outage had no effect: no GET /post got 503 or no response"])
        #expect(findings([call(.post, at: 12, 503)], status) == [])
        let slowness = window(Allowance(evidence: .slowness(.seconds(1), of: "GET /post")))
        #expect(findings([], slowness) == ["outage had no effect: no GET /post took longer than 1.0 s"])
        #expect(findings([call(.post, at: 12, 200, took: 2)], slowness) == [])
    }

    @Test("an affected service that is not served within the recovery limit is a finding")
    func recovery() {
        var log = CallLog()
        let window = window(Allowance(affected: [.search]))
        #expect(!CallCheck([window], log).isRecovered)
        #expect(
            CallCheck([window], log).findings == ["GET /v1/search/posts was served not after the end of outage"])
        log.add(record(.search, "GET /v1/search/posts", at: 32, 200))
        #expect(CallCheck([window], log).isRecovered)
        #expect(
            CallCheck([window], log).findings
                == ["GET /v1/search/posts was served only 12.1 s after the end of outage"])
        log.add(record(.search, "GET /v1/search/posts", at: 25, 200))
        #expect(CallCheck([window], log).findings == [])
    }

    @Test("a service that two faults affect must recover after the second one")
    func secondFault() {
        let first = window(Allowance(affected: [.search]))
        var second = window(Allowance(affected: [.search]))
        second.ended = start + .seconds(50)
        var log = CallLog()
        log.add(record(.search, "GET /v1/search/posts", at: 55, 200))
        #expect(CallCheck([first, second], log).findings == [])
    }

    /// A fault that begins at 10 s, is caused at 11 s, is removed from 18 s on, and ends at 20 s.
    private func window(_ allowance: Allowance) -> FaultWindow {
        FaultWindow(
            "outage", allowance, began: start + .seconds(10), caused: start + .seconds(11),
            removalBegan: start + .seconds(18), ended: start + .seconds(20))
    }

    /// The findings about these calls and those that are served after the fault.
    private func findings(_ calls: [CallRecord], _ windows: FaultWindow...) -> [String] {
        var log = CallLog()
        for call in calls { log.add(call) }
        for service in ServiceName.allCases {
            for call in CallCheck.typicalCalls(of: service) { log.add(record(service, call, at: 21, 200)) }
        }
        return CallCheck(windows, log).findings
    }

    private func call(
        _ service: ServiceName, at second: Double, _ status: Int?, reason: String? = nil, took: Double = 0.1
    ) -> CallRecord {
        record(service, "GET /\(service.rawValue)", at: second, status, reason: reason, took: took)
    }

    private func record(
        _ service: ServiceName, _ call: String, at second: Double, _ status: Int?, reason: String? = nil,
        took: Double = 0.1
    ) -> CallRecord {
        CallRecord(
            service, call, status: status, reason: reason, began: start + .seconds(second),
            ended: start + .seconds(second + took))
    }
}
