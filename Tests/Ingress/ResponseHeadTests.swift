import HTTPTypes
import Testing
import WorkerKit

@testable import Ingress

@Suite("What every response has")
struct ResponseTests {
    private func fields(
        _ answer: Answer = Answer(status: 200), origins: [String] = [], origin: String? = nil,
        decisions: [RateDecision] = [], closes: Bool = false
    ) -> HTTPFields {
        ResponseMaker(cors: CORS(origins: origins)).head(
            answer, requestID: "id", origin: origin, decisions: decisions, closes: closes
        ).headerFields
    }

    @Test(
        "the security fields of helmet, for an API",
        arguments: [
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Origin-Agent-Cluster", "?1"), ("Referrer-Policy", "no-referrer"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("X-Content-Type-Options", "nosniff"), ("X-DNS-Prefetch-Control", "off"), ("X-Download-Options", "noopen"),
            ("X-Frame-Options", "DENY"), ("X-Permitted-Cross-Domain-Policies", "none"), ("X-XSS-Protection", "0"),
        ])
    func security(name: String, value: String) throws {
        #expect(fields()[try #require(HTTPField.Name(name))] == value)
    }

    @Test("nothing says what software answers")
    func anonymous() {
        #expect(fields()[.server] == nil)
    }

    @Test("the request's id, the date, the length; no length where there can be no body")
    func common() throws {
        let fields = fields(Answer(status: 200, body: [1, 2, 3]))
        #expect(fields[.requestID] == "id")
        #expect(fields[.contentLength] == "3")
        #expect(try #require(fields[.date]).hasSuffix(" GMT"))
        #expect(fields[.connection] == nil)
        #expect(self.fields(Answer(status: 204))[.contentLength] == nil)
        #expect(self.fields(closes: true)[.connection] == "close")
    }

    @Test("dates are those of RFC 9110")
    func date() {
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test("the rate limits say what is left and what they are")
    func rates() {
        let general = RateLimit(name: "general", count: 100, per: .seconds(1), burst: 200)
        let strict = RateLimit(name: "credentials", count: 10, per: .seconds(60))
        let fields = fields(decisions: [
            RateDecision(limit: general, isAllowed: true, ahead: 10_000),
            RateDecision(limit: strict, isAllowed: false, ahead: 60_000_000),
        ])
        #expect(fields[.rateLimit] == #""general";r=199;t=1, "credentials";r=0;t=6"#)
        #expect(fields[.rateLimitPolicy] == #""general";q=200;w=2, "credentials";q=10;w=60"#)
        #expect(self.fields()[.rateLimit] == nil)
    }

    @Test("CORS is closed until origins are configured")
    func closed() {
        let fields = fields(origin: "https://a.example")
        #expect(fields[.accessControlAllowOrigin] == nil)
        #expect(fields[.vary] == nil)
    }

    @Test("a configured origin is let in and no other, and caches are told")
    func configured() {
        let origins = ["https://a.example", "https://b.example"]
        let inside = fields(origins: origins, origin: "https://b.example")
        #expect(inside[.accessControlAllowOrigin] == "https://b.example")
        #expect(inside[.vary] == "Origin")
        #expect(inside[.accessControlExposeHeaders]?.contains("X-Request-Id") == true)
        for origin in [nil, "https://evil.example", "https://a.example.evil.example", "null", "HTTPS://A.EXAMPLE"] {
            let outside = fields(origins: origins, origin: origin)
            #expect(outside[.accessControlAllowOrigin] == nil)
            #expect(outside[.vary] == "Origin")
        }
    }

    @Test("a star lets every origin in")
    func star() {
        #expect(fields(origins: ["*"], origin: "https://x.example")[.accessControlAllowOrigin] == "*")
    }

    @Test("a preflight of a configured origin is answered with the path's methods")
    func preflight() throws {
        let request = RequestFields([
            .origin: "https://a.example", .accessControlRequestMethod: "POST",
        ])
        let cors = CORS(origins: ["https://a.example"])
        let answer = try #require(cors.preflight(method: .options, fields: request, allow: "GET, POST"))
        #expect(answer.status == 204)
        #expect(answer.fields[.accessControlAllowMethods] == "GET, POST")
        #expect(answer.fields[.accessControlAllowHeaders]?.contains("Authorization") == true)
        #expect(cors.preflight(method: .get, fields: request, allow: "GET") == nil)
        #expect(CORS(origins: []).preflight(method: .options, fields: request, allow: "GET") == nil)
        let plain = RequestFields([.origin: "https://a.example"])
        #expect(cors.preflight(method: .options, fields: plain, allow: "GET") == nil)
    }
}
