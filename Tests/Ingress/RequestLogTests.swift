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
        let log = captured.logger(.info)
        let request = RequestContext(
            HTTPRequest(
                method: .get, scheme: "http", authority: "x", path: "/v1/search/posts?query=private",
                headerFields: [.requestID: "id-1", .authorization: "Bearer secret"]),
            peer: ClientAddress(nil as IPAddress?))
        if isAborted {
            RequestLog.write(request, aborted: CancellationError(), since: .now, to: log)
        } else {
            RequestLog.write(request, .json(Array("{}".utf8)), since: .now, to: log)
        }
        let events = captured.events.map(\.metadata)
        #expect(events.count == 1)
        let event = try #require(events.first)
        #expect(event["request-id"] == "id-1")
        #expect(event["path"] == "/v1/search/posts")
        #expect(isAborted ? event["error"] != nil : event["status"]?.description == "200")
        #expect(!"\(event)".contains("private") && !"\(event)".contains("secret"))
    }
}
