import HTTPTypes
import Logging
import Synchronization
import Testing

@testable import Ingress

@Suite("The line that a request leaves in the log")
struct RequestLogTests {
    /// Keeps what is logged.
    private final class Kept: Sendable {
        let events = Mutex<[Logger.Metadata]>([])

        struct Handler: LogHandler {
            let kept: Kept
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.info

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) {
                kept.events.withLock { $0.append(event.metadata ?? [:]) }
            }
        }
    }

    @Test(
        "has the request's id, its path and its status; neither query nor token stands in it", arguments: [false, true])
    func line(isAbandoned: Bool) throws {
        let kept = Kept()
        let log = Logger(label: "test") { _ in Kept.Handler(kept: kept) }
        let request = IncomingRequest(
            HTTPRequest(
                method: .get, scheme: "http", authority: "x", path: "/v1/search/posts?query=private",
                headerFields: [.requestID: "id-1", .authorization: "Bearer secret"]))
        if isAbandoned {
            RequestLog.write(request, abandoned: CancellationError(), since: .now, to: log)
        } else {
            let answer = Answer.json(Array("{}".utf8))
            RequestLog.write(request, Gateway.Outcome(answer: answer), since: .now, to: log)
        }
        let events = kept.events.withLock { $0 }
        #expect(events.count == 1)
        let event = try #require(events.first)
        #expect(event["request-id"] == "id-1")
        #expect(event["path"] == "/v1/search/posts")
        #expect(isAbandoned ? event["error"] != nil : event["status"]?.description == "200")
        #expect(!"\(event)".contains("private") && !"\(event)".contains("secret"))
    }
}
