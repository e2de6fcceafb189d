import Contracts
import HTTPTypes
import Logging
import TestSupport
import Testing

@testable import Ingress

@Suite("The log line of a request")
struct RequestLogTests {
    @Test(
        "the log line has the request's id, its path, and its status or error, but neither query nor token",
        arguments: [false, true])
    func line(isAborted: Bool) throws {
        let captured = CapturedLog()
        let log = RequestLog(captured.logger(.info))
        let request = RequestContext(
            HTTPRequest(
                method: .get, scheme: "http", authority: "x", path: "/v1/search/posts?query=private",
                headerFields: [.requestID: "id-1", .authorization: "Bearer secret"]),
            peer: ClientAddress(nil as IPAddress?))
        if isAborted {
            log.write(request, aborted: CancellationError(), since: .now)
        } else {
            log.write(request, .json(Array("{}".utf8)), since: .now)
        }
        let events = captured.events.map(\.metadata)
        #expect(events.count == 1)
        let event = try #require(events.first)
        #expect(event["request-id"] == "id-1")
        #expect(event["path"] == "/v1/search/posts")
        #expect(isAborted ? event["error"] != nil : event["status"]?.description == "200")
        #expect(!"\(event)".contains("private") && !"\(event)".contains("secret"))
    }

    @Test("a flood of failed requests is sampled, and every successful request is logged")
    func flood() {
        let captured = CapturedLog()
        let log = RequestLog(captured.logger(.info))
        let request = RequestContext(
            HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/"),
            peer: ClientAddress(nil as IPAddress?))
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
