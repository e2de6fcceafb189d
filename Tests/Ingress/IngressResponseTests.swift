import Contracts
import FoundationEssentials
import HTTPTypes
import Testing
import WorkerKit

@testable import Ingress

@Suite("Responses to message outcomes")
struct IngressResponseTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private let request = OutgoingRequest(
        Messages.Post.create.descriptor, caller: nil, body: [], requestID: "response-test")
    private var id: UUID { request.id }
    private let receipts: ReceiptTokens

    init() throws { receipts = try ReceiptTokens(keys: [String(repeating: "k", count: 32)]) }

    private func response(to outcome: RequestOutcome) -> IngressResponse {
        .outcome(outcome, of: request, traceID: Self.trace, receipts: receipts)
    }

    private func json(_ response: IngressResponse) throws -> JSON { try JSON.parse(response.body) }

    @Test("the response to a reply has its status, body, location and entity tag")
    func reply() {
        let response = response(
            to: .reply(Reply.json(Array("{}".utf8), status: 201, location: "/v1/posts/x", etag: "\"e\"")))
        #expect(response.status == 201)
        #expect(response.body == Array("{}".utf8))
        #expect(response.fields[.contentType] == "application/json")
        #expect(response.fields[.location] == "/v1/posts/x")
        #expect(response.fields[.eTag] == "\"e\"")
        #expect(response.fields[.cacheControl] == "private, no-cache")
    }

    @Test("a response without a body has no Content-Type, and one without an entity tag has Cache-Control: no-store")
    func noContent() {
        let response = IngressResponse.reply(
            .noContent, to: Messages.Post.delete.descriptor, traceID: Self.trace)
        #expect(response.status == 204)
        #expect(response.fields[.contentType] == nil)
        #expect(response.fields[.cacheControl] == "no-store")
    }

    @Test(
        "a reply that the contract of its message type does not allow becomes 500 with none of its fields",
        arguments: [
            Reply.json(Array("{}".utf8), status: 200), .json([], status: 302, location: "/v1/posts/x"),
            .json(Array("{}".utf8), status: 201, location: "https://evil.example/"),
            .json(Array("{}".utf8), status: 201, location: "//evil.example/v1/"),
            .json(Array("{}".utf8), status: 201, location: "/v1/posts/x\r\nSet-Cookie: a=b"),
            .json(Array("{}".utf8), status: 201, etag: "e"), .json(Array("{}".utf8), status: 201, etag: "\"a\"b\""),
            Reply(
                status: 201, contentType: "text/html", location: nil, etag: nil, retryAfter: nil,
                body: Array("<script>".utf8)),
            Reply(status: 404, contentType: "text/html", location: nil, etag: nil, retryAfter: nil, body: []),
            Reply(
                status: 401, contentType: "application/problem+json", location: "/v1/posts/x", etag: nil,
                retryAfter: nil, body: Array("{}".utf8)),
            Reply(
                status: 429, contentType: "application/problem+json", location: nil, etag: nil, retryAfter: .max,
                body: Array("{}".utf8)),
        ])
    func forbiddenReply(reply: Reply) throws {
        let response = response(to: .reply(reply))
        #expect(response.status == 500)
        #expect(response.fields[.contentType] == "application/problem+json")
        #expect(
            response.fields[.location] == nil && response.fields[.eTag] == nil && response.fields[.retryAfter] == nil)
        #expect(try json(response)["code"]?.string == "internal")
        #expect(response.logReason != nil)
    }

    @Test("a worker's problem becomes the response with its Retry-After, and a 401 has WWW-Authenticate")
    func problems() throws {
        let late = response(to: .reply(.problem(Problem(.tooManyRequests, retryAfter: 7), traceID: Self.trace)))
        #expect(late.status == 429)
        #expect(late.fields[.retryAfter] == "7")
        #expect(late.fields[.contentType] == "application/problem+json")
        let refused = response(to: .reply(.problem(Problem(.invalidCredentials), traceID: Self.trace)))
        #expect(refused.fields[.wwwAuthenticate] == "Bearer")
        #expect(try json(refused)["traceId"]?.string == Self.trace)
    }

    @Test("an unavailable service yields 503 with Retry-After, and the cause is not in the response")
    func unavailable() throws {
        let response = response(to: .unavailable("the queue is full"))
        #expect(response.status == 503)
        #expect(response.fields[.retryAfter] == "1")
        #expect(response.logReason == "the queue is full")
        #expect(try json(response)["code"]?.string == "unavailable")
        #expect(!String(decoding: response.body, as: UTF8.self).contains("queue"))
    }

    @Test("an accepted command yields 202 with its id and the path of its receipt")
    func accepted() throws {
        let response = response(to: .accepted)
        #expect(response.status == 202)
        #expect(try json(response)["id"]?.string == id.text)
        #expect(try json(response)["status"]?.string == "accepted")
        let path = try #require(response.fields[.location])
        #expect(path.hasPrefix("/v1/receipts/post/"))
        let token = String(path.dropFirst("/v1/receipts/post/".count))
        #expect(receipts.content(of: token, service: .post, caller: nil)?.id == id)
    }

    @Test("a missed deadline yields 504, and an unknown outcome yields 504 with advice about the Idempotency-Key")
    func late() throws {
        let late = response(to: .deadlineExceeded)
        #expect(late.status == 504)
        #expect(try json(late)["code"]?.string == "deadline-exceeded")
        let unknown = response(to: .outcomeUnknown)
        #expect(unknown.status == 504)
        #expect(try json(unknown)["detail"]?.string?.contains("Idempotency-Key") == true)
    }

    @Test("the response to an invalid token has the WWW-Authenticate field of RFC 6750")
    func tokens() {
        let invalid = IngressResponse.problem(Problem(.invalidToken), traceID: Self.trace)
        #expect(invalid.fields[.wwwAuthenticate] == "Bearer error=\"invalid_token\"")
        #expect(
            IngressResponse.problem(Problem(.unauthenticated), traceID: Self.trace).fields[.wwwAuthenticate] == "Bearer"
        )
    }

    @Test("the readiness probe fails if the broker is down, and only reports the state of Redis")
    func readiness() throws {
        let redisDown = BuiltInEndpoints.readiness(.init(isBrokerUp: true, isRedisUp: false))
        #expect(redisDown.status == 200)
        #expect(
            try json(redisDown) == ["status": "ready", "broker": "up", "redis": "down", "missingQueues": []])
        let brokerDown = BuiltInEndpoints.readiness(.init(isBrokerUp: false, isRedisUp: true))
        #expect(brokerDown.status == 503)
        #expect(
            try json(brokerDown) == ["status": "unavailable", "broker": "down", "redis": "up", "missingQueues": []])
        let incomplete = BuiltInEndpoints.readiness(
            .init(isBrokerUp: true, isRedisUp: true, missingQueues: ["post.commands"]))
        #expect(incomplete.status == 200)
        #expect(try json(incomplete)["missingQueues"] == ["post.commands"])
    }
}
