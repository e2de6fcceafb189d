import Contracts
import FoundationEssentials
import HTTPTypes
import Testing
import WorkerKit

@testable import Ingress

@Suite("What becomes of a message, as HTTP")
struct AnswerTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private let request = OutgoingRequest(
        Messages.Post.create.descriptor, caller: nil, body: [], requestID: "answer-test")
    private var id: UUID { request.id }

    private func answer(_ outcome: RequestOutcome) -> Answer {
        .outcome(outcome, of: request, traceID: Self.trace)
    }

    private func json(_ answer: Answer) throws -> JSON { try JSON.parse(answer.body) }

    @Test("a reply is written through")
    func reply() {
        let answer = answer(
            .reply(Reply.json(Array("{}".utf8), status: 201, location: "/v1/posts/x", etag: "\"e\"")))
        #expect(answer.status == 201)
        #expect(answer.body == Array("{}".utf8))
        #expect(answer.fields[.contentType] == "application/json")
        #expect(answer.fields[.location] == "/v1/posts/x")
        #expect(answer.fields[.eTag] == "\"e\"")
        #expect(answer.fields[.cacheControl] == "private, no-cache")
    }

    @Test("a reply without a body has no content type, and what is not tagged is not stored")
    func noContent() {
        let answer = answer(.reply(.noContent))
        #expect(answer.status == 204)
        #expect(answer.fields[.contentType] == nil)
        #expect(answer.fields[.cacheControl] == "no-store")
    }

    @Test("a service's problem goes through as it is, with its Retry-After, and a 401 names the scheme")
    func problems() throws {
        let late = answer(.reply(.problem(Problem(.tooManyRequests, retryAfter: 7), traceID: Self.trace)))
        #expect(late.status == 429)
        #expect(late.fields[.retryAfter] == "7")
        #expect(late.fields[.contentType] == "application/problem+json")
        let refused = answer(.reply(.problem(Problem(.invalidCredentials), traceID: Self.trace)))
        #expect(refused.fields[.wwwAuthenticate] == "Bearer")
        #expect(try json(refused)["traceId"]?.string == Self.trace)
    }

    @Test("what was not taken is 503 with Retry-After; why is for the log alone")
    func unavailable() throws {
        let answer = answer(.unavailable("the queue is full"))
        #expect(answer.status == 503)
        #expect(answer.fields[.retryAfter] == "1")
        #expect(answer.reason == "the queue is full")
        #expect(try json(answer)["code"]?.string == "unavailable")
        #expect(!String(decoding: answer.body, as: UTF8.self).contains("queue"))
    }

    @Test("a command on disk is 202 with its id and where to ask after it")
    func accepted() throws {
        let answer = answer(.accepted)
        #expect(answer.status == 202)
        #expect(try json(answer)["id"]?.string == id.text)
        #expect(try json(answer)["status"]?.string == "accepted")
        #expect(answer.fields[.location] == "/v1/receipts/post/\(id.text)")
    }

    @Test("no answer in time is 504; where the outcome is unknown it says so")
    func late() throws {
        let late = answer(.deadlineExceeded)
        #expect(late.status == 504)
        #expect(try json(late)["code"]?.string == "deadline-exceeded")
        let unknown = answer(.outcomeUnknown)
        #expect(unknown.status == 504)
        #expect(try json(unknown)["detail"]?.string?.contains("Idempotency-Key") == true)
    }

    @Test("an invalid token is told as RFC 6750 has it")
    func tokens() {
        let invalid = Answer.problem(Problem(.invalidToken), traceID: Self.trace)
        #expect(invalid.fields[.wwwAuthenticate] == "Bearer error=\"invalid_token\"")
        #expect(Answer.problem(Problem(.unauthenticated), traceID: Self.trace).fields[.wwwAuthenticate] == "Bearer")
    }

    @Test("ready is where the broker is; Redis is only told")
    func readiness() throws {
        let without = OwnResources.readiness(.init(isBrokerUp: true, isRedisUp: false))
        #expect(without.status == 200)
        #expect(try json(without) == ["status": "ready", "broker": "up", "redis": "down"])
        let away = OwnResources.readiness(.init(isBrokerUp: false, isRedisUp: true))
        #expect(away.status == 503)
        #expect(try json(away) == ["status": "unavailable", "broker": "down", "redis": "up"])
    }
}
