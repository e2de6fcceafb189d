import Testing

@testable import Ingress

/// A request that a proxy might parse differently is refused, and the input after the request is not read.
@Suite("Request smuggling", .serialized)
struct SmugglingTests {
    private static let post = "POST /v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    /// A request that follows each refused request. A response to it would mean that it was smuggled.
    private static let smuggled = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"

    private func expectRefused(_ requests: [String], status: Int = 400, code: String = "malformed-request") async throws
    {
        try await RunningIngress.with { ingress in
            for request in requests {
                let client = try ingress.client()
                try client.send(request + Self.smuggled)
                let response = try client.receive()
                let name = "\(request.debugDescription.prefix(200))"
                #expect(response.status == status, "\(name)")
                #expect(response.code == code, "\(name)")
                #expect(response.fields["content-type"] == "application/problem+json", "\(name)")
                #expect(response.fields["connection"] == "close", "\(name)")
                #expect(client.isClosed(), "\(name)")
            }
        }
    }

    @Test("a request with both Content-Length and Transfer-Encoding gets 400, in any order")
    func lengthAndCoding() async throws {
        let (length, coding) = ("Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n")
        try await expectRefused([
            "\(Self.post)\(length)\(coding)\r\n0\r\n\r\n", "\(Self.post)\(coding)\(length)\r\n0\r\n\r\n",
            "\(Self.post)content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "\(Self.post)\(length)Transfer-Encoding: identity\r\n\r\n{}{}",
            "\(Self.post)\(length)Transfer-Encoding:\r\n\r\n{}{}",
            "\(Self.post)\(length)Transfer-Encoding: xchunked\r\n\r\n{}{}",
        ])
    }

    @Test("two Content-Length fields get 400 even if they are equal, and so does a length that is not a plain number")
    func lengths() async throws {
        let values = [
            "2\r\nContent-Length: 3", "2\r\nContent-Length: 2", "2, 2", "2,3", "-2", "+2", "0x2", "2.0", "2 2", "",
            "two",
            "2;", "\u{665}", "18446744073709551616", "99999999999999999999999999",
        ]
        try await expectRefused(values.map { "\(Self.post)Content-Length: \($0)\r\n\r\n{}" })
    }

    @Test("a Transfer-Encoding other than a single chunked coding gets 400, and so does each one in HTTP/1.0")
    func codings() async throws {
        let values = [
            "gzip, chunked", "chunked, gzip", "gzip", "identity", "chunked, chunked", "chunked;q=1", "\"chunked\"",
            "chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: identity",
            "gzip\r\nTransfer-Encoding: chunked", "chunke\u{64}\u{0B}", "x", "chunked,", ",chunked",
        ]
        try await expectRefused(values.map { "\(Self.post)Transfer-Encoding: \($0)\r\n\r\n0\r\n\r\n" })
        try await expectRefused([
            "POST /v1/auth/register HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "\(Self.post)Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            "\(Self.post) Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "\(Self.post)Transfer-Encoding\u{0}: chunked\r\n\r\n0\r\n\r\n",
        ])
    }

    @Test("a request with a bare line feed or a bare carriage return in its head gets 400")
    func lineEnds() async throws {
        try await expectRefused([
            "GET /health/live HTTP/1.1\nHost: x\n\n", "GET /health/live HTTP/1.1\nHost: x\r\n\r\n",
            "GET /health/live HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", "GET /health/live HTTP/1.1\r\nHost: x\r\n\n",
            "GET /health/live HTTP/1.1\r\nHost: x\r\nA: b\n\r\n", "GET /health/live HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
            "GET /health/live HTTP/1.1\rHost: x\r\n\r\n", "GET /health/live HTTP/1.1\r\nHost: x\r\n\rX: y\r\n\r\n",
            "GET /health/live HTTP/1.1\r\nHost: x\r\r\n\r\n",
        ])
    }

    @Test("a request with a folded header field gets 400")
    func folded() async throws {
        try await expectRefused([
            "GET /health/live HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
            "GET /health/live HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n",
            "GET /health/live HTTP/1.1\r\n Host: x\r\n\r\n", "GET /health/live HTTP/1.1\r\nHost:\r\n x\r\n\r\n",
            "\(Self.post)Content-Length:\r\n 2\r\n\r\n{}",
            "\(Self.post)Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        ])
    }

    @Test("a request with a control character in a header field or a malformed field name gets 400")
    func controls() async throws {
        let lines = [
            "A: \u{0}", "A: b\u{0}c", "A: b\rc", "A: b\u{0B}c", "A: \u{1B}[31m", "A: \u{7F}", "A\u{0}: b", "A\r: b",
            "A B: c", "A : b", ": b", "A", "A\u{9}: b", "(A): b", "A@: b", "Ä: b", "\u{1B}A: b",
        ]
        try await expectRefused(lines.map { "GET /health/live HTTP/1.1\r\nHost: x\r\n\($0)\r\n\r\n" })
    }

    @Test("a request with a missing, duplicate or malformed Host field gets 400")
    func hosts() async throws {
        let hosts = [
            "", "Host: x\r\nHost: x\r\n", "Host: x\r\nhost: y\r\n", "Host:\r\n", "Host: \r\n", "Host: a b\r\n",
            "Host: x/y\r\n", "Host: user@x\r\n", "Host: x?y\r\n", "Host: x#y\r\n", "Host: \"x\"\r\n", "Host: x\\y\r\n",
            "Host: <x>\r\n", "Host: \(String(repeating: "h", count: 256))\r\n",
        ]
        try await expectRefused(hosts.map { "GET /health/live HTTP/1.1\r\n\($0)\r\n" })
        try await expectRefused([
            "GET http://x/health/live HTTP/1.1\r\n\r\n", "GET /health/live HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
        ])
    }

    @Test("a request with a malformed chunk size, chunk end, chunk extension or trailer gets 400")
    func chunks() async throws {
        let bodies = [
            "zz\r\n", "-2\r\n{}\r\n0\r\n\r\n", "+2\r\n{}\r\n0\r\n\r\n", "0x2\r\n{}\r\n0\r\n\r\n",
            " 2\r\n{}\r\n0\r\n\r\n",
            "2 \r\n{}\r\n0\r\n\r\n", "2\n{}\r\n0\r\n\r\n", "2\r{}\r\n0\r\n\r\n", "2\r\n{}0\r\n\r\n",
            "2\r\n{}\n0\r\n\r\n",
            "2\r\n{}}\r\n0\r\n\r\n", "\r\n\r\n", "ffffffffffffffff1\r\n{}\r\n0\r\n\r\n", "2;a=\u{0}\r\n{}\r\n0\r\n\r\n",
            "2;a\n\r\n{}\r\n0\r\n\r\n", "2\r\n{}\r\n0\r\nA B: c\r\n\r\n", "2\r\n{}\r\n0\r\n A: b\r\n\r\n",
            "2\r\n{}\r\n0\r\nA: \u{0}\r\n\r\n", "2\u{0}\r\n{}\r\n0\r\n\r\n",
        ]
        try await expectRefused(bodies.map { "\(Self.post)Transfer-Encoding: chunked\r\n\r\n\($0)" })
    }

    @Test("a malformed request line gets 400, and so does a target that is neither a path nor an http URL")
    func targets() async throws {
        let targets = [
            "health/live", "*", "http:/health/live", "http:///health/live", "http://user@x/health/live",
            "ftp://x/health/live", "foo:/health/live", "http:health/live", "/health/live#x", "/health\u{1B}/live",
            "/health/l\u{EF}ve", "/health/\u{7F}", "x:80",
        ]
        try await expectRefused(targets.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" })
        try await expectRefused([
            "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /health/live\r\nHost: x\r\n\r\n", "GET /health /live HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /health/live HTTP/1.1 x\r\nHost: x\r\n\r\n", "GET\u{0}/ HTTP/1.1\r\nHost: x\r\n\r\n",
            "get /health/live HTTP/1.1\r\nHost: x\r\n\r\n", "GET /health/live http/1.1\r\nHost: x\r\n\r\n",
            "GET /health/live HTTP/1.2\r\nHost: x\r\n\r\n", "GET /health/live HTTP/0.9\r\nHost: x\r\n\r\n",
            "GET /health/live HTTP/2.0\r\nHost: x\r\n\r\n", "GET /health/live HTTP/11\r\nHost: x\r\n\r\n",
        ])
    }

    @Test("a head of more than 16 KiB or 100 fields gets 431, and trailers of that size get 400")
    func sizes() async throws {
        func many(_ count: Int, _ length: Int) -> String {
            String(repeating: "A: \(String(repeating: "a", count: length))\r\n", count: count)
        }
        try await expectRefused(
            [
                "GET /\(String(repeating: "a", count: 16_400)) HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\n\(many(1, 16_400))\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\n\(many(4, 4_200))\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\n\(many(101, 1))\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\n\(String(repeating: "a", count: 16_400)): b\r\n\r\n",
            ], status: 431, code: "headers-too-large")
        try await expectRefused(
            [
                "\(Self.post)Transfer-Encoding: chunked\r\n\r\n0\r\n\(many(1, 16_400))\r\n",
                "\(Self.post)Transfer-Encoding: chunked\r\n\r\n0\r\n\(many(101, 1))\r\n",
            ])
    }

    @Test("a request with an unusual but unambiguous form is accepted")
    func accepted() async throws {
        let json = "POST /v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        let requests = [
            ("GET http://x/health/live HTTP/1.1\r\nHost: y\r\n\r\n", 200),
            ("GET HTTPS://x:8080/health/live?a HTTP/1.1\r\nHost: x\r\n\r\n", 200),
            ("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", 200), ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 204),
            ("GET  /health/live HTTP/1.1\r\nHost: x\r\n\r\n", 200),
            ("\r\nGET /health/live HTTP/1.1\r\nHost: x\r\n\r\n", 200),
            ("GET /health/live HTTP/1.1\r\nhOST:x\r\nA:\tb \r\nB:\r\n\r\n", 200),
            ("GET /health/live HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200),
            ("GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200),
            ("GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 0002\r\n\r\nab", 200),
            ("\(json)Transfer-Encoding: Chunked\r\n\r\n0002\r\n{}\r\n0\r\n\r\n", 503),
            ("\(json)Transfer-Encoding: chunked\r\n\r\n2;a=\"b;c\";d\r\n{}\r\n00\r\nA: b\r\n\r\n", 503),
            ("\(json)Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 503),
            ("\(json)Content-Length: 2\r\n\r\n{}", 503),
        ]
        try await RunningIngress.with { ingress in
            for (text, status) in requests {
                let client = try ingress.client()
                try client.send(text)
                #expect(try client.receive().status == status, "\(text.debugDescription)")
            }
        }
    }

    @Test("each pipelined request gets one response, in order, even if a body looks like a request")
    func pipelined() async throws {
        let inner = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            try client.send(
                "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: \(inner.utf8.count)\r\n\r\n\(inner)"
                    + "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "\(Self.post)Content-Length: \(inner.utf8.count)\r\n\r\n\(inner)"
                    + "HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n\(Self.smuggled)")
            #expect(try client.receive().status == 200)
            #expect(try client.receive().status == 404)
            #expect(try client.receive().status == 503)
            #expect(try client.receive(hasBody: false).status == 200)
            let last = try client.receive()
            #expect(last.status == 200 && last.fields["connection"] == "close")
            #expect(client.isClosed(), "input after the last request must not be read")
        }
    }

    @Test("a request that is sent one byte at a time is accepted")
    func pieces() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            let text = "\(Self.post)Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            for byte in text.utf8 {
                try client.send([byte])
                try await Task.sleep(for: .microseconds(200))
            }
            #expect(try client.receive().status == 503)
        }
    }
}
