import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing
import WorkerKit

@testable import Ingress

@Suite("Common response fields")
struct ResponseHeadTests {
    /// The lines of a response's head.
    private func lines(
        _ response: IngressResponse = IngressResponse(status: 200), origins: [String] = [], origin: String? = nil,
        connection: HTTPConnectionState.ConnectionField = .unchanged
    ) -> [Substring] {
        var buffer = ByteBuffer()
        let head = ResponseHead(response, requestID: "id", origin: origin, connection: connection)
        ResponseHeadBuilder(cors: CORSPolicy(origins: origins)).write(head, to: &buffer)
        let text = String(buffer: buffer)
        // Swift counts a carriage return and a line feed as one Character.
        #expect(text.hasSuffix("\r\n\r\n") && !text.dropLast(2).contains("\r\n\r\n"))
        return text.dropLast(2).split(separator: "\r\n", omittingEmptySubsequences: false)
    }

    private func fields(
        _ response: IngressResponse = IngressResponse(status: 200), origins: [String] = [], origin: String? = nil,
        connection: HTTPConnectionState.ConnectionField = .unchanged
    ) throws -> HTTPFields {
        var fields = HTTPFields()
        for line in lines(response, origins: origins, origin: origin, connection: connection).dropFirst() {
            let parts = line.split(separator: ": ", maxSplits: 1)
            fields.append(HTTPField(name: try #require(HTTPField.Name(String(parts[0]))), value: String(parts[1])))
        }
        return fields
    }

    @Test("the status line has the version, the status and the reason phrase")
    func statusLine() {
        #expect(lines().first == "HTTP/1.1 200 OK")
        #expect(lines(IngressResponse(status: 429)).first == "HTTP/1.1 429 Too Many Requests")
    }

    @Test(
        "a response has the security fields of helmet, with values for an API",
        arguments: [
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Origin-Agent-Cluster", "?1"), ("Referrer-Policy", "no-referrer"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("X-Content-Type-Options", "nosniff"), ("X-DNS-Prefetch-Control", "off"), ("X-Download-Options", "noopen"),
            ("X-Frame-Options", "DENY"), ("X-Permitted-Cross-Domain-Policies", "none"), ("X-XSS-Protection", "0"),
        ])
    func security(name: String, value: String) throws {
        #expect(try fields()[#require(HTTPField.Name(name))] == value)
    }

    @Test("a response does not name the server software")
    func anonymous() throws {
        #expect(try fields()[.server] == nil)
    }

    @Test("a response has the request id, the date and the Content-Length; a 204 has no Content-Length")
    func common() throws {
        let fields = try fields(IngressResponse(status: 200, body: [1, 2, 3]))
        #expect(fields[.constant("X-Request-Id")] == "id")
        #expect(fields[.contentLength] == "3")
        #expect(try #require(fields[.date]).hasSuffix(" GMT"))
        #expect(fields[.connection] == nil)
        #expect(try self.fields(IngressResponse(status: 204))[.contentLength] == nil)
        #expect(try self.fields(connection: .close)[.connection] == "close")
        #expect(try self.fields(connection: .keepAlive)[.connection] == "keep-alive")
    }

    @Test("the Date field has the format of RFC 9110")
    func date() {
        #expect(HTTPDateCache.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDateCache.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test("the RateLimit fields have the remaining quota and the policy of each limit")
    func rates() throws {
        let general = RateLimit(name: "general", count: 100, per: .seconds(1), burst: 200)
        let strict = RateLimit(name: "credentials", count: 10, per: .seconds(60))
        var response = IngressResponse(status: 200)
        response.rateDecisions = [
            RateDecision(limit: general, isAllowed: true, ahead: 10_000),
            RateDecision(limit: strict, isAllowed: false, ahead: 60_000_000),
        ]
        let fields = try fields(response)
        #expect(fields[.constant("RateLimit")] == #""general";r=199;t=1, "credentials";r=0;t=6"#)
        #expect(fields[.constant("RateLimit-Policy")] == #""general";q=200;w=2, "credentials";q=10;w=60"#)
        #expect(try self.fields()[.constant("RateLimit")] == nil)
    }

    @Test("a response has no CORS fields if no origins are configured")
    func closed() throws {
        let fields = try fields(origin: "https://a.example")
        #expect(fields[.accessControlAllowOrigin] == nil)
        #expect(fields[.vary] == nil)
    }

    @Test("only a configured CORS origin is allowed, and the response has Vary: Origin")
    func configured() throws {
        let origins = ["https://a.example", "https://b.example"]
        let allowed = try fields(origins: origins, origin: "https://b.example")
        #expect(allowed[.accessControlAllowOrigin] == "https://b.example")
        #expect(allowed[.vary] == "Origin")
        #expect(allowed[.accessControlExposeHeaders]?.contains("X-Request-Id") == true)
        for origin in [nil, "https://evil.example", "https://a.example.evil.example", "null", "HTTPS://A.EXAMPLE"] {
            let refused = try fields(origins: origins, origin: origin)
            #expect(refused[.accessControlAllowOrigin] == nil)
            #expect(refused[.vary] == "Origin")
        }
    }

    @Test("the CORS origin * allows every origin")
    func star() throws {
        #expect(try fields(origins: ["*"], origin: "https://x.example")[.accessControlAllowOrigin] == "*")
    }

    @Test("the response to a preflight from a configured origin has the methods of the path")
    func preflight() throws {
        let request = RequestFields(["Origin": "https://a.example", "Access-Control-Request-Method": "POST"])
        let cors = CORSPolicy(origins: ["https://a.example"])
        let response = try #require(cors.preflight(fields: request, allow: "GET, POST"))
        #expect(response.status == 204)
        #expect(response.fields[.accessControlAllowMethods] == "GET, POST")
        #expect(response.fields[.accessControlAllowHeaders]?.contains("Authorization") == true)
        #expect(CORSPolicy(origins: []).preflight(fields: request, allow: "GET") == nil)
        let plain = RequestFields(["Origin": "https://a.example"])
        #expect(cors.preflight(fields: plain, allow: "GET") == nil)
    }
}
