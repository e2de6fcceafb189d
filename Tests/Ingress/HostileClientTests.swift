import Contracts
import FoundationEssentials
import Synchronization
import Testing
import WorkerKit

@testable import Ingress

@Suite("Hostile HTTP clients", .serialized)
struct HostileClientTests {
    private static let login = "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

    @Test("malformed HTTP gets a problem with 400 or 431, and the connection is closed")
    func garbage() async throws {
        let requests: [(String, Int)] = [
            ("\u{16}\u{3}\u{1} hello\r\n\r\n", 400), ("GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost x\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: x\r\nA: \u{0}\r\n\r\n", 400),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
            ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            // The input after the error is larger than one read.
            ("\(String(repeating: "A", count: 100_000)) / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("\(Self.login)Content-Length: -1\r\n\r\n", 400),
            ("\(Self.login)Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
            ("\(Self.login)Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("\(Self.login)Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: \(String(repeating: "a", count: 20_000))\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: x\r\n\(String(repeating: "A: b\r\n", count: 200))\r\n", 431),
            ("GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        ]
        // A rate limit delays the response, so that more input arrives before the response is sent.
        try await RunningIngress.with(environment: ["WARREN_RATE_LIMIT": "1000/s"]) { ingress in
            for (text, status) in requests {
                let client = try ingress.client()
                try client.send(text)
                let response = try client.receive()
                #expect(response.status == status, "\(text.prefix(60))")
                #expect(response.fields["content-type"] == "application/problem+json")
                #expect(response.fields["connection"] == "close")
                #expect(response.fields["x-content-type-options"] == "nosniff")
                #expect(response.json?["traceId"]?.string?.utf8.count == 32)
                #expect(client.isClosed())
            }
        }
    }

    @Test("a malformed request gets its 400 after the responses to the valid requests before it")
    func pipelined() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            try client.send(
                "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /nope HTTP/1.1\r\nHost: x\r\n\r\nBAD\r\n\r\n")
            #expect(try [client.receive(), client.receive(), client.receive()].map(\.status) == [200, 404, 400])
            #expect(client.isClosed())
        }
    }

    @Test("a body that is too large gets 413, because of its Content-Length or while it arrives")
    func largeBodies() async throws {
        try await RunningIngress.with { ingress in
            // One byte more than the limit, and a number that does not fit into an Int.
            for length in ["65537", "9223372036854775808"] {
                let announced = try ingress.client()
                try announced.send("\(Self.login)Content-Length: \(length)\r\n\r\n")
                let response = try announced.receive()
                #expect(response.status == 413)
                #expect(response.code == "body-too-large")
                #expect(announced.isClosed())
            }

            let streamed = try ingress.client()
            try streamed.send("\(Self.login)Transfer-Encoding: chunked\r\n\r\n")
            let chunk = "4000\r\n\(String(repeating: "a", count: 0x4000))\r\n"
            for _ in 0..<5 { try streamed.send(chunk) }
            #expect(try streamed.receive().status == 413)
            #expect(streamed.isClosed())
        }
    }

    @Test("a chunked body with long chunk extensions or trailer fields gets 400, and one with tiny chunks is read")
    func longFraming() async throws {
        try await RunningIngress.with { ingress in
            for framing in [
                "1;x=\(String(repeating: "a", count: 100_000))\r\n{\r\n",
                "0\r\n" + "X: \(String(repeating: "a", count: 100_000))",
            ] {
                let client = try ingress.client()
                try client.send("\(Self.login)Transfer-Encoding: chunked\r\n\r\n")
                try? client.send(framing)
                let response = try client.receive()
                #expect(response.status == 400 || response.status == 431)
                #expect(client.isClosed())
            }
            let tiny = try ingress.client()
            try tiny.send("\(Self.login)Transfer-Encoding: chunked\r\n\r\n")
            try tiny.send(String(repeating: "1\r\n \r\n", count: 3_000) + "2\r\n{}\r\n0\r\n\r\n")
            // The body reaches the queue, for which there is no worker in this test.
            #expect([503, 504].contains(try tiny.receive().status))
        }
    }

    @Test("an upload that is too large gets 413 while it arrives")
    func largeUpload() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            let token = try ingress.maker.token()
            try client.send(
                "POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n")
            let head = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
            try client.send("\(String(head.utf8.count, radix: 16))\r\n\(head)\r\n")
            let chunk = "10000\r\n\(String(repeating: "a", count: 0x10000))\r\n"
            // The server may close the connection before all chunks are sent.
            for _ in 0..<82 where (try? client.send(chunk)) == nil { break }
            #expect(try client.receive().status == 413)
            #expect(client.isClosed())
        }
    }

    @Test(
        "a request with an incomplete body gets 400 and is not forwarded",
        arguments: ["Content-Length: 10", "Transfer-Encoding: chunked"])
    func cutOff(framing: String) async throws {
        let mark = "ingress-\(UUID().uuidString.prefix(8))"
        let hasArrived = Mutex(false)
        try await RunningIngress.with { ingress in
            try await StubWorker.with("identity.login", mark: mark) { _ in
                hasArrived.withLock { $0 = true }
                return .noContent
            } _: {
                let client = try ingress.client()
                try client.send("\(Self.login)X-Request-Id: \(mark)\r\n\(framing)\r\n\r\n2\r\n{}")
                client.finish()
                #expect(try client.receive().status == 400)
                #expect(!hasArrived.withLock { $0 })
            }
        }
    }

    @Test("a client that waits for 100 Continue gets it, unless its body is refused")
    func expectContinue() async throws {
        try await RunningIngress.with { ingress in
            let refused = try ingress.client()
            try refused.send("\(Self.login)Content-Length: 99999\r\nExpect: 100-continue\r\n\r\n")
            #expect(try refused.receive().status == 413)
            let accepted = try ingress.client()
            try accepted.send("\(Self.login)Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            #expect(try accepted.receive().status == 100)
            try accepted.send("{}")
            #expect(try accepted.receive().status == 503)
        }
    }

    @Test("a wrong path, method, Content-Type or token gets a problem with its own code; the connection stays open")
    func wrong() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            let token = try ingress.maker.token()
            func check(_ response: RawClient.Response, _ status: Int, _ code: String) {
                #expect(response.status == status)
                #expect(response.code == code)
                #expect(response.fields["content-type"] == "application/problem+json")
            }
            check(try client.call("GET", "/nope"), 404, "not-found")
            let method = try client.call("PUT", "/v1/posts", body: [1, 2, 3])
            check(method, 405, "method-not-allowed")
            #expect(method.fields["allow"] == "GET, HEAD, OPTIONS, POST")
            for name in ["TRACE", "PATCH", "PROPFIND"] {
                let other = try client.call(name, "/v1/posts/x")
                check(other, 405, "method-not-allowed")
                #expect(other.fields["allow"] == "DELETE, GET, HEAD, OPTIONS")
            }
            check(
                try client.call("POST", "/v1/auth/login", fields: ["Content-Type": "text/plain"], body: [1]), 415,
                "unsupported-media-type")
            check(try client.call("POST", "/v1/auth/login", body: [1]), 415, "unsupported-media-type")
            let none = try client.call("GET", "/v1/posts")
            check(none, 401, "unauthenticated")
            #expect(none.fields["www-authenticate"] == "Bearer")
            let bad = try client.call("GET", "/v1/posts", token: token + "x")
            check(bad, 401, "invalid-token")
            #expect(bad.fields["www-authenticate"] == "Bearer error=\"invalid_token\"")
            check(try client.call("GET", "/v1/posts?page=1&page=2", token: token), 400, "malformed-request")
            check(try client.call("GET", "/v1/posts?page=%", token: token), 400, "malformed-request")
            check(try client.call("GET", "/v1/posts/%FF", token: token), 400, "malformed-request")
            check(
                try client.call("GET", "/v1/posts", token: token, fields: ["authorization": "Bearer x"]), 400,
                "malformed-request")
            #expect(try client.call("GET", "/health/live").status == 200)
        }
    }

    @Test("slow header fields and a slow body get 408, and an idle connection is closed")
    func slow() async throws {
        let short = ConnectionTimeouts(
            idle: 300_000_000, head: 300_000_000, body: 300_000_000, response: 60_000_000_000,
            stall: 60_000_000_000)
        try await RunningIngress.with(change: { $0.timeouts = short }) { ingress in
            let head = try ingress.client()
            try head.send("GET / HTTP/1.1\r\nHos")
            let late = try head.receive()
            #expect(late.status == 408)
            #expect(late.code == "request-timeout")
            #expect(head.isClosed())

            let body = try ingress.client()
            try body.send("\(Self.login)Content-Length: 10\r\n\r\n{")
            #expect(try body.receive().status == 408)
            #expect(body.isClosed())

            let silent = try ingress.client()
            #expect(silent.isClosed())
            let idle = try ingress.client()
            #expect(try idle.call("GET", "/health/live").status == 200)
            #expect(idle.isClosed())
        }
    }

    @Test("a connection over the configured maximum replaces the connection that has been idle longest")
    func connections() async throws {
        try await RunningIngress.with(environment: ["WARREN_HTTP_CONNECTIONS": "2"]) { ingress in
            let clients = [try ingress.client(), try ingress.client()]
            for client in clients { #expect(try client.call("GET", "/health/live").status == 200) }
            // The server records the end of a response after the client has received it. A connection that was used
            // between the choice and the closing is kept.
            try await Task.sleep(for: .milliseconds(200))
            #expect(try ingress.client().call("GET", "/health/live").status == 200)
            #expect(clients[0].isClosed())
        }
    }

    @Test("a connection over the configured maximum is closed if a request is in flight on every other connection")
    func busyConnections() async throws {
        try await RunningIngress.with(environment: ["WARREN_HTTP_CONNECTIONS": "2"]) { ingress in
            try await StubWorker.with("post.list", mark: "no request") { _ in
                nil
            } _: {
                let token = try ingress.maker.token()
                let busy = [try ingress.client(), try ingress.client()]
                for client in busy {
                    try client.send("GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n")
                }
                try await Task.sleep(for: .milliseconds(500))
                #expect(try ingress.client().isClosed())
                for client in busy { #expect(try client.receive().status == 504) }
            }
        }
    }

    @Test("an unused body of up to 64 KiB is discarded and the connection reused; a larger body closes it")
    func unwantedBody() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            #expect(try client.call("GET", "/health/live", body: Array(repeating: 1, count: 30_000)).status == 200)
            #expect(try client.call("GET", "/health/live").status == 200)
            try client.send("GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
            #expect(try client.receive().status == 200)
            let chunk = Array(repeating: UInt8(1), count: 100_000)
            for _ in 0..<100 where (try? client.send(chunk)) == nil { break }
            #expect(client.isClosed())
        }
    }
}
