import Contracts
import Testing

@Suite("Problems")
struct ProblemTests {
    private func body(_ problem: Problem, traceId: String? = "0af7651916cd43dd8448eb211c80319c") throws -> JSON {
        try JSON.parse(problem.body(traceId: traceId))
    }

    @Test("the body of a problem has all members of RFC 9457", arguments: ProblemCode.all)
    func members(code: ProblemCode) throws {
        let body = try body(Problem(code))
        #expect(body["type"]?.string == "urn:warren:problem:\(code.code)")
        #expect(body["title"]?.string == code.title)
        #expect(body["status"]?.integer == Int64(code.status))
        #expect(body["detail"]?.string?.isEmpty == false)
        #expect(body["code"]?.string == code.code)
        #expect(body["traceId"]?.string == "0af7651916cd43dd8448eb211c80319c")
        #expect(body["errors"] == nil)
        #expect(ProblemCode.named(code.code) == code)
    }

    @Test("problem codes are in kebab case, unique and sorted by status")
    func codes() {
        let all = ProblemCode.all
        #expect(Set(all.map(\.code)).count == all.count)
        #expect(all.allSatisfy { $0.code.allSatisfy { "abcdefghijklmnopqrstuvwxyz-".contains($0) } })
        #expect(all.map(\.status) == all.map(\.status).sorted())
    }

    @Test(
        "a problem code has its HTTP status",
        arguments: [
            ("malformed-json", 400), ("malformed-request", 400), ("unsupported-condition", 400),
            ("unauthenticated", 401), ("invalid-token", 401),
            ("invalid-credentials", 401), ("invalid-refresh-token", 401), ("not-found", 404), ("post-not-found", 404),
            ("media-not-found", 404), ("method-not-allowed", 405), ("account-exists", 409), ("body-too-large", 413),
            ("unsupported-media-type", 415), ("invalid", 422), ("idempotency-key-reused", 422),
            ("too-many-requests", 429),
            ("internal", 500), ("unavailable", 503), ("deadline-exceeded", 504),
        ])
    func contract(code: String, status: Int) {
        #expect(ProblemCode.named(code)?.status == status)
    }

    @Test("the body of a problem with the code invalid lists the faults with their pointers")
    func errors() throws {
        let invalid = ValidationError(faults: [
            ValidationFault(pointer: "/a\"b", message: "x"), ValidationFault(pointer: "/c", message: "y"),
        ])
        let body = try body(Problem.invalid(invalid), traceId: nil)
        #expect(body["errors"] == [["pointer": "/a\"b", "message": "x"], ["pointer": "/c", "message": "y"]])
        #expect(body["status"] == 422)
        #expect(body["traceId"] == .null)
    }

    @Test("the detail of an invalid request names the part of the request that has the faults")
    func faultyPart() {
        func detail<Request, Reply>(_ type: MessageType<Request, Reply>, _ text: String) -> String? {
            do throws(Problem) {
                _ = try type.request.decode(Array(text.utf8))
                return nil
            } catch {
                return (try? body(error))?["detail"]?.string
            }
        }
        #expect(detail(Messages.Post.list, #"{"limit":0}"#) == "The query is not valid: it has one fault.")
        #expect(
            detail(Messages.Media.list, #"{"limit":0,"page":0}"#) == "The query is not valid: it has 2 faults.")
        #expect(detail(Messages.Search.posts, "{}") == "The query is not valid: it has one fault.")
        #expect(detail(Messages.Post.get, #"{"id":"x"}"#) == "The request is not valid: it has one fault.")
        #expect(
            detail(Messages.Media.update, #"{"id":"x","description":null}"#)
                == "The request is not valid: it has one fault.")
        #expect(detail(Messages.Post.receipt, #"{"id":"x"}"#) == "The request is not valid: it has one fault.")
        #expect(detail(Messages.Post.create, "{}") == "The content is not valid: it has one fault.")
        #expect(detail(Messages.Identity.login, "{}") == "The content is not valid: it has 2 faults.")
    }

    @Test("a problem that a retry can solve has a number of seconds in retryAfter, which is not part of the body")
    func retryAfter() throws {
        #expect(Problem(.unavailable).retryAfter == 1)
        #expect(Problem(.tooManyRequests, retryAfter: 7).retryAfter == 7)
        #expect(Problem(.notFound).retryAfter == nil)
        #expect(try body(Problem(.unavailable))["retryAfter"] == nil)
    }
}
