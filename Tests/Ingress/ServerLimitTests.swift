import Contracts
import FoundationEssentials
import TestSupport
import Testing
import WorkerKit

@testable import Ingress

@Suite("Limits, origins and keys of a running ingress", .serialized)
struct ServerLimitTests {
    @Test("calls past a caller's limit are 429 with Retry-After; another caller is not held up")
    func byCaller() async throws {
        try await RunningIngress.with(environment: ["WARREN_RATE_LIMIT": "1/min burst 3"]) { ingress in
            let client = try ingress.client()
            let token = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
            for left in [2, 1, 0] {
                let response = try client.call("GET", "/v1/search/posts", token: token)
                // 503 where nobody takes the message, or the answer of whoever does: it is let through.
                #expect(response.status == 503 || response.status == 422)
                #expect(response.fields["ratelimit"]?.hasPrefix("\"general\";r=\(left);t=") == true)
                #expect(response.fields["ratelimit-policy"] == "\"general\";q=3;w=180")
            }
            let refused = try client.call("GET", "/v1/search/posts", token: token)
            #expect(refused.status == 429)
            #expect(refused.code == "too-many-requests")
            #expect((50...60).contains(refused.fields["retry-after"].flatMap { Int($0) } ?? 0))
            let other = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
            #expect(try client.call("GET", "/v1/search/posts", token: other).status == 503)
        }
    }

    @Test("what has no caller counts by address: problems too, and logins more strictly")
    func byAddress() async throws {
        let limits = ["WARREN_RATE_LIMIT": "1/min burst 5", "WARREN_CREDENTIAL_RATE_LIMIT": "2/min"]
        try await RunningIngress.with(environment: limits) { ingress in
            let address = RawClient.anyLoopback
            let client = try RawClient(port: ingress.port, from: address)
            let json = ["Content-Type": "application/json"]
            for path in ["/v1/auth/login", "/v1/auth/register"] {
                let response = try client.call("POST", path, fields: json, body: Array("{}".utf8))
                // Nobody takes the message, or only someone who does not answer.
                #expect(response.status == 503 || response.status == 504)
                #expect(response.fields["ratelimit"]?.contains("\"credentials\";r=") == true)
            }
            let refused = try client.call("POST", "/v1/auth/login", fields: json, body: Array("{}".utf8))
            #expect(refused.status == 429)
            for status in [404, 401, 404, 429, 429] {
                let path = status == 401 ? "/v1/posts" : "/nope"
                #expect(try client.call("GET", path).status == status)
            }
            #expect(try client.call("GET", "/health/live").status == 200)
            #expect(try ingress.client().call("GET", "/nope").status == 404)
        }
    }

    @Test("RateLimit and RateLimit-Policy are on every answer, probes and what is no HTTP among them")
    func everywhere() async throws {
        try await RunningIngress.with(environment: ["WARREN_RATE_LIMIT": "1/min burst 50"]) { ingress in
            let address = RawClient.anyLoopback
            let client = try RawClient(port: ingress.port, from: address)
            let token = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
            func check(_ response: RawClient.Response, _ status: Int, left: Int) {
                #expect(response.status == status)
                #expect(response.fields["ratelimit"]?.hasPrefix("\"general\";r=\(left);t=") == true)
                #expect(response.fields["ratelimit-policy"] == "\"general\";q=50;w=3000")
            }
            check(try client.call("GET", "/health/live"), 200, left: 50)
            check(try client.call("GET", "/.well-known/jwks.json"), 200, left: 49)
            check(try client.call("GET", "/nope"), 404, left: 48)
            check(try client.call("PUT", "/v1/posts"), 405, left: 47)
            check(try client.call("GET", "/v1/posts"), 401, left: 46)
            check(try client.call("GET", "/v1/posts/%ff"), 400, left: 45)
            check(try client.call("HEAD", "/health/ready"), 200, left: 45)
            check(try client.call("GET", "/v1/search/posts", token: token), 503, left: 49)
            try client.send("BAD\r\n\r\n")
            check(try client.receive(), 400, left: 44)
            let slow = try RawClient(port: ingress.port, from: address)
            try slow.send("GET / HTTP/1.1\r\n\r\n")
            check(try slow.receive(), 400, left: 43)
        }
    }

    @Test("what is no HTTP counts by its address too, and is 429 past the limit; probes go on")
    func garbage() async throws {
        try await RunningIngress.with(environment: ["WARREN_RATE_LIMIT": "1/min burst 2"]) { ingress in
            let address = RawClient.anyLoopback
            for status in [400, 400, 429, 429] {
                let client = try RawClient(port: ingress.port, from: address)
                try client.send("BAD\r\n\r\n")
                let response = try client.receive()
                #expect(response.status == status)
                #expect((response.fields["retry-after"] != nil) == (status == 429))
                #expect(client.isClosed())
            }
            let probe = try RawClient(port: ingress.port, from: address)
            for _ in 0..<5 { #expect(try probe.call("GET", "/health/live").status == 200) }
        }
    }

    @Test(
        "a forwarded address counts where its proxy is trusted, each client by itself; elsewhere it counts for nothing")
    func forwarded() async throws {
        let address = RawClient.anyLoopback
        let limits = ["WARREN_RATE_LIMIT": "1/min burst 2", "WARREN_TRUSTED_PROXIES": "10.0.0.0/8, \(address)"]
        try await RunningIngress.with(environment: limits) { ingress in
            let clients = (0..<3).map { _ in "203.0.\(Int.random(in: 0...255)).\(Int.random(in: 0...255))" }
            func status(_ client: RawClient, _ fields: [String: String]) throws -> Int {
                try client.call("GET", "/nope", fields: fields).status
            }
            let proxy = try RawClient(port: ingress.port, from: address)
            for client in clients {
                let fields = ["X-Forwarded-For": "1.1.1.1, \(client), 10.9.9.9"]
                #expect(try (0..<3).map { _ in try status(proxy, fields) } == [404, 404, 429])
                #expect(try status(proxy, ["Forwarded": "for=\(client)"]) == 429)
            }
            let network = "2001:db8:\(Int.random(in: 1...9999)):\(Int.random(in: 1...9999))"
            let hosts = (1...3).map { "\(network)::\($0)" }
            #expect(try hosts.map { try status(proxy, ["X-Forwarded-For": $0]) } == [404, 404, 429])

            let stranger = try ingress.client()
            let statuses = try clients.map { try status(stranger, ["X-Forwarded-For": $0, "Forwarded": "for=\($0)"]) }
            #expect(statuses == [404, 404, 429], "who is no proxy counts as himself")
        }
    }

    @Test("an origin that is configured gets its preflight answered, and may read the answers")
    func cors() async throws {
        try await RunningIngress.with(environment: ["WARREN_CORS_ORIGINS": "https://a.example"]) { ingress in
            let client = try ingress.client()
            let ask = ["Origin": "https://a.example", "Access-Control-Request-Method": "DELETE"]
            let preflight = try client.call("OPTIONS", "/v1/posts/x", fields: ask)
            #expect(preflight.status == 204)
            #expect(preflight.fields["access-control-allow-origin"] == "https://a.example")
            #expect(preflight.fields["access-control-allow-methods"] == "DELETE, GET, HEAD")
            #expect(preflight.fields["vary"] == "Origin")
            let answer = try client.call("GET", "/health/live", fields: ["Origin": "https://a.example"])
            #expect(answer.fields["access-control-allow-origin"] == "https://a.example")
            let foreign = try client.call(
                "OPTIONS", "/v1/posts", fields: ask.merging(["Origin": "https://b.example"]) { $1 })
            #expect(foreign.status == 405)
            #expect(foreign.fields["access-control-allow-origin"] == nil)
        }
    }

    @Test("the public keys are there for anyone, cacheable, and verify the tokens that are taken")
    func keys() async throws {
        try await RunningIngress.with { ingress in
            let response = try ingress.client().call("GET", "/.well-known/jwks.json")
            #expect(response.status == 200)
            #expect(response.fields["cache-control"] == "public, max-age=300")
            let keys = try await PublicKeys(jwks: String(decoding: response.body, as: UTF8.self))
            let verifier = TokenVerifier(keys: keys, issuer: "warren", audience: "warren")
            #expect(try verifier.verify(try ingress.maker.token(), at: .now()).caller.username == "alice")
        }
    }

    @Test("the OpenAPI document is served to anyone, with an entity tag")
    func openAPI() async throws {
        try await RunningIngress.with { ingress in
            let response = try ingress.client().call("GET", "/openapi.json")
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "application/json")
            #expect(response.fields["etag"]?.hasPrefix("\"") == true)
            #expect(try JSON.parse(response.body, limits: .trusted) == OpenAPI.document)
        }
    }

    @Test("uploads past what may be held at once are refused, sooner those of a client that has a third; JSON is not")
    func bodies() async throws {
        let mark = "ingress-\(UUID().uuidString.prefix(8))"
        try await RunningIngress.with(change: {
            $0.bodyBytes = 32 << 20
            $0.connection.body = 300_000_000_000
        }) { ingress in
            try await Responder.with("media.upload", mark: mark) { received in
                let isSilent = received.header(Header.requestId)?.hasSuffix("silent") == true
                return isSilent ? nil : .json(Array("{}".utf8), status: 201)
            } _: {
                let head =
                    "POST /v1/media HTTP/1.1\r\nHost: x\r\nContent-Length: 5000086\r\n"
                    + "Content-Type: multipart/form-data; boundary=b\r\n"
                let part = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
                let end = "\r\n--b--\r\n"
                let file = [UInt8](repeating: 0xFF, count: 5_000_086 - part.utf8.count - end.utf8.count)
                func begin(_ account: UUID, as name: String = "told") throws -> RawClient {
                    let token = try ingress.maker.token(claims: ingress.maker.claims(subject: account.uuidString))
                    let client = try ingress.client()
                    try client.send(
                        "\(head)X-Request-Id: \(mark)-\(name)\r\nAuthorization: Bearer \(token)\r\n\r\n\(part)")
                    // Who is refused before the end may find the connection closed.
                    do { try client.send(file) } catch {}
                    return client
                }
                let accounts = (0..<6).map { _ in UUID() }
                var held = [try begin(accounts[0])]
                #expect(try await eventually { ingress.uploads.total > 4_900_000 })
                let greedy = try begin(accounts[0]).receive()
                #expect(greedy.status == 429 && greedy.code == "too-many-requests")
                #expect(greedy.fields["retry-after"] == "1" && greedy.fields["connection"] == "close")
                held += try accounts[1..<5].map { try begin($0) }
                #expect(try await eventually { ingress.uploads.total > 5 * 4_900_000 })
                let late = try begin(accounts[5]).receive()
                #expect(late.status == 503 && late.code == "unavailable" && late.fields["retry-after"] == "1")
                let json = try ingress.client().call(
                    "POST", "/v1/posts", token: ingress.maker.token(), fields: ["Content-Type": "application/json"],
                    body: Array("{}".utf8))
                #expect(json.json?["detail"]?.string != late.json?["detail"]?.string)
                try held[0].send(end)
                #expect(try held[0].receive().status == 201)
                // What the broker has, and what is cut off, has given its room back.
                held.removeFirst(2)
                #expect(try await eventually { ingress.uploads.total < 3 * 5_100_000 })
                let client = try begin(accounts[5])
                try client.send(end)
                #expect(try client.receive().status == 201)
                let waiting = try begin(accounts[5], as: "silent")
                try waiting.send(end)
                #expect(try await eventually { ingress.uploads.total < 3 * 5_100_000 })
                #expect(!waiting.hasInput)
                held = []
                #expect(try await eventually { ingress.uploads.total == 0 })
            }
        }
    }
}
