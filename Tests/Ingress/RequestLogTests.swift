import Contracts
import Logging
import NIOHTTP1
import TestSupport
import Testing

@testable import Ingress

@Suite("The log line of a request")
struct RequestLogTests {
    @Test(
        "the log line has the request's id, its path, and its status or the reason, but neither query nor token",
        arguments: [false, true])
    func line(isAborted: Bool) throws {
        let captured = CapturedLog()
        let log = RequestLog(captured.logger(.info))
        let request = try RequestContext.get(
            "/v1/search/posts?query=private", ["X-Request-Id": "id-1", "Authorization": "Bearer secret"])
        if isAborted {
            log.write(request, aborted: "closed", since: .now)
        } else {
            log.write(request, .json(Array("{}".utf8)), since: .now)
        }
        let events = captured.events.map(\.metadata)
        #expect(events.count == 1)
        let event = try #require(events.first)
        #expect(event["request-id"] == "id-1")
        #expect(event["path"] == "/v1/search/posts")
        #expect(isAborted ? event["reason"] == "closed" : event["status"]?.description == "200")
        #expect(!"\(event)".contains("private") && !"\(event)".contains("secret"))
    }

    @Test("a flood of failed requests is sampled, and every successful request is logged")
    func flood() throws {
        let captured = CapturedLog()
        let log = RequestLog(captured.logger(.info))
        let request = try RequestContext.get("/")
        let start = ContinuousClock.now
        for _ in 0..<1000 {
            log.write(request, .problem(Problem(.notFound), traceID: ""), since: .now)
            log.write(request, .json(Array("{}".utf8)), since: .now)
        }
        log.write(request, .problem(Problem(.unavailable), traceID: ""), since: .now)
        let seconds = Int((ContinuousClock.now - start) / .seconds(1)) + 2
        let statuses = captured.events.map { $0.metadata["status"]?.description }
        #expect(statuses.count { $0 == "200" } == 1000)
        let written = statuses.count { $0 == "404" }
        #expect((100...100 * seconds).contains(written))
        #expect(statuses.contains("503"), "refused requests must not hide failures")
        let omitted = captured.events.compactMap { $0.metadata["omitted"]?.description }.compactMap { Int($0) }
        #expect(written + omitted.reduce(0, +) <= 1000)
    }
}
