import Contracts
import FoundationEssentials
import TestSupport
import Testing
import WorkerKit

@testable import Ingress

@Suite("Rate limits, CORS and built-in endpoints of a running ingress", .serialized)
struct ServerLimitTests {
    @Test("a call over a caller's rate limit gets 429 with Retry-After, and other callers are not affected")
    func byCaller() async throws {
        try await RunningIngress.with(environment: ["WARREN_RATE_LIMIT": "1/min burst 3"]) { ingress in
            let client = try ingress.client()
            let token = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
            for left in [2, 1, 0] {
                let response = try client.call("GET", "/v1/accounts/me", token: token)
                // An allowed request gets 503 if there is no worker, or 422 from the worker of another test.
                #expect(response.status == 503 || response.status == 422)
                #expect(response.fields["ratelimit"]?.hasPrefix("\"general\";r=\(left);t=") == true)
                #expect(response.fields["ratelimit-policy"] == "\"general\";q=3;w=180")
            }
            let refused = try client.call("GET", "/v1/accounts/me", token: token)
            #expect(refused.status == 429)
            #expect(refused.code == "too-many-requests")
            #expect((50...60).contains(refused.fields["retry-after"].flatMap { Int($0) } ?? 0))
            let other = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
            #expect(try client.call("GET", "/v1/accounts/me", token: other).status == 503)
        }
    }

    @Test("many accounts of one address share a ceiling, and another address is not affected")
    func addressCeiling() async throws {
        let limits = ["WARREN_RATE_LIMIT": "1/min burst 100", "WARREN_ADDRESS_RATE_LIMIT": "1/min burst 6"]
        try await RunningIngress.with(environment: limits) { ingress in
            let client = try ingress.client()
            func status(_ client: RawClient) throws -> Int {
                let token = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
                return try client.call("GET", "/v1/accounts/me", token: token).status
            }
            let statuses = try (0..<8).map { _ in try status(client) }
            #expect(statuses.map { $0 == 429 } == [false, false, false, false, false, false, true, true])
            #expect(try status(ingress.client()) != 429)
        }
    }

    @Test("a search counts as ten requests")
    func weight() async throws {
        try await RunningIngress.with(environment: ["WARREN_RATE_LIMIT": "1/min burst 24"]) { ingress in
            let client = try ingress.client()
            let token = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
            for left in [14, 4] {
                let response = try client.call("GET", "/v1/search/posts?query=x", token: token)
                #expect(response.fields["ratelimit"]?.hasPrefix("\"general\";r=\(left);t=") == true)
            }
            let refused = try client.call("GET", "/v1/search/posts?query=x", token: token)
            #expect(refused.status == 429)
            #expect((350...360).contains(refused.fields["retry-after"].flatMap { Int($0) } ?? 0))
            #expect(try client.call("GET", "/v1/accounts/me", token: token).status != 429)
        }
    }

    @Test("requests without a caller are limited per address, also if they get a problem; logins have a lower limit")
    func byAddress() async throws {
        let limits = ["WARREN_RATE_LIMIT": "1/min burst 5", "WARREN_CREDENTIAL_RATE_LIMIT": "2/min"]
        try await RunningIngress.with(environment: limits) { ingress in
            let address = RawClient.anyLoopback
            let client = try RawClient(port: ingress.port, from: address)
            let json = ["Content-Type": "application/json"]
            for path in ["/v1/auth/login", "/v1/auth/register"] {
                let response = try client.call("POST", path, fields: json, body: Array("{}".utf8))
                // There is no worker, or only the worker of another test, which does not reply.
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

    @Test("two ingresses share the rate limit of a caller, and together allow at most two bursts")
    func twoIngresses() async throws {
        let limits = ["WARREN_RATE_LIMIT": "1/min burst 6"]
        try await RunningIngress.with(environment: limits) { first in
            try await RunningIngress.with(environment: limits) { second in
                let account = UUID().uuidString
                let token = try first.maker.token(claims: first.maker.claims(subject: account))
                let other = try second.maker.token(claims: second.maker.claims(subject: account))
                let (one, two) = (try first.client(), try second.client())
                for _ in 0..<6 { #expect(try one.call("GET", "/v1/accounts/me", token: token).status != 429) }
                #expect(try one.call("GET", "/v1/accounts/me", token: token).status == 429)
                // The second ingress does not know the caller. It learns of the six requests with the next exchange.
                var allowed = 0
                while try two.call("GET", "/v1/accounts/me", token: other).status != 429 {
                    allowed += 1
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect((1...6).contains(allowed))
            }
        }
    }

    @Test("a login that the general limit refuses does not consume the credential limit")
    func bothLimits() async throws {
        let limits = ["WARREN_RATE_LIMIT": "1/min burst 2", "WARREN_CREDENTIAL_RATE_LIMIT": "5/min"]
        try await RunningIngress.with(environment: limits) { ingress in
            let client = try ingress.client()
            func login() throws -> RawClient.Response {
                try client.call(
                    "POST", "/v1/auth/refresh", fields: ["Content-Type": "application/json"], body: Array("{}".utf8))
            }
            for _ in 0..<2 { #expect(try login().status != 429) }
            for _ in 0..<3 {
                let refused = try client.call(
                    "POST", "/v1/auth/login", fields: ["Content-Type": "application/json"], body: Array("{}".utf8))
                #expect(refused.status == 429)
                #expect(refused.fields["ratelimit"]?.contains("credentials") == false)
            }
        }
    }

    @Test("every response has RateLimit and RateLimit-Policy, even a response to a probe or a malformed request")
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
            check(try client.call("GET", "/v1/accounts/me", token: token), 503, left: 49)
            try client.send("BAD\r\n\r\n")
            check(try client.receive(), 400, left: 44)
            let slow = try RawClient(port: ingress.port, from: address)
            try slow.send("GET / HTTP/1.1\r\n\r\n")
            check(try slow.receive(), 400, left: 43)
        }
    }

    @Test("malformed requests are limited per address, and probes are not limited")
    func malformed() async throws {
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
        "clients behind a trusted proxy are limited separately, and forwarding fields of other peers are ignored")
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

            // Clients of one NAT64 are limited separately, and another translator gives a client no further share.
            let octet = Int.random(in: 1...255)
            for host in 1...2 {
                let client = "198.51.\(octet).\(host)"
                let hex = String((198 << 8 | 51) << 16 | octet << 8 | host, radix: 16)
                let forms = ["64:ff9b::\(client)", "2002:\(hex.prefix(4)):\(hex.suffix(4))::1", client]
                #expect(try forms.map { try status(proxy, ["X-Forwarded-For": $0]) } == [404, 404, 429])
            }

            let stranger = try ingress.client()
            let statuses = try clients.map { try status(stranger, ["X-Forwarded-For": $0, "Forwarded": "for=\($0)"]) }
            #expect(statuses == [404, 404, 429], "an untrusted peer is limited by its own address")
        }
    }

    @Test("only a configured CORS origin gets a preflight response and may read responses")
    func cors() async throws {
        try await RunningIngress.with(environment: ["WARREN_CORS_ORIGINS": "https://a.example"]) { ingress in
            let client = try ingress.client()
            let ask = ["Origin": "https://a.example", "Access-Control-Request-Method": "DELETE"]
            let preflight = try client.call("OPTIONS", "/v1/posts/x", fields: ask)
            #expect(preflight.status == 204)
            #expect(preflight.fields["access-control-allow-origin"] == "https://a.example")
            #expect(preflight.fields["access-control-allow-methods"] == "DELETE, GET, HEAD, OPTIONS")
            #expect(preflight.fields["vary"] == "Origin")
            let allowed = try client.call("GET", "/health/live", fields: ["Origin": "https://a.example"])
            #expect(allowed.fields["access-control-allow-origin"] == "https://a.example")
            let foreign = try client.call(
                "OPTIONS", "/v1/posts", fields: ask.merging(["Origin": "https://b.example"]) { $1 })
            #expect(foreign.status == 204)
            #expect(foreign.fields["allow"] == "GET, HEAD, OPTIONS, POST")
            #expect(foreign.fields["access-control-allow-methods"] == nil)
            #expect(foreign.fields["access-control-allow-origin"] == nil)
        }
    }

    @Test("the public keys are served without a token, are cacheable, and verify access tokens")
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

    @Test("the OpenAPI document is served without a token, with an entity tag")
    func openAPI() async throws {
        try await RunningIngress.with { ingress in
            let response = try ingress.client().call("GET", "/openapi.json")
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "application/json")
            #expect(response.fields["etag"]?.hasPrefix("\"") == true)
            #expect(try JSON.parse(response.body, limits: .trusted) == OpenAPI.document)
        }
    }

    @Test(
        "an upload over the body budget gets 503, one over a client's third gets 429, and JSON bodies are not affected"
    )
    func bodies() async throws {
        let mark = "ingress-\(UUID().uuidString.prefix(8))"
        try await RunningIngress.with(change: {
            $0.bodyBytes = 32 << 20
            $0.timeouts.body = 300_000_000_000
        }) { ingress in
            try await StubWorker.with("media.upload", mark: mark) { received in
                let isSilent = received.header(Header.requestId)?.hasSuffix("silent") == true
                return isSilent ? nil : .json(Array("{}".utf8), status: 201)
            } _: {
                let head =
                    "POST /v1/media HTTP/1.1\r\nHost: x\r\nContent-Length: 5000086\r\n"
                    + "Content-Type: multipart/form-data; boundary=b\r\n"
                let part = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
                let end = "\r\n--b--\r\n"
                let file = [UInt8](repeating: 0xFF, count: 5_000_086 - part.utf8.count - end.utf8.count)
                func begin(_ account: UUID, requestID name: String = "replied") throws -> RawClient {
                    let token = try ingress.maker.token(claims: ingress.maker.claims(subject: account.uuidString))
                    let client = try ingress.client()
                    try client.send(
                        "\(head)X-Request-Id: \(mark)-\(name)\r\nAuthorization: Bearer \(token)\r\n\r\n\(part)")
                    // If the upload is refused early, the connection may be closed already.
                    do { try client.send(file) } catch {}
                    return client
                }
                let accounts = (0..<6).map { _ in UUID() }
                var held = [try begin(accounts[0])]
                #expect(try await eventually { ingress.uploads.reservedBytes > 4_900_000 })
                let overShare = try begin(accounts[0]).receive()
                #expect(overShare.status == 429 && overShare.code == "too-many-requests")
                #expect(overShare.fields["retry-after"] == "1" && overShare.fields["connection"] == "close")
                held += try accounts[1..<5].map { try begin($0) }
                #expect(try await eventually { ingress.uploads.reservedBytes > 5 * 4_900_000 })
                let overBudget = try begin(accounts[5]).receive()
                #expect(
                    overBudget.status == 503 && overBudget.code == "unavailable"
                        && overBudget.fields["retry-after"] == "1")
                let json = try ingress.client().call(
                    "POST", "/v1/posts", token: ingress.maker.token(), fields: ["Content-Type": "application/json"],
                    body: Array("{}".utf8))
                #expect(json.json?["detail"]?.string != overBudget.json?["detail"]?.string)
                try held[0].send(end)
                #expect(try held[0].receive().status == 201)
                // Sent bodies and the bodies of closed connections no longer count.
                held.removeFirst(2)
                #expect(try await eventually { ingress.uploads.reservedBytes < 3 * 5_100_000 })
                let client = try begin(accounts[5])
                try client.send(end)
                #expect(try client.receive().status == 201)
                let waiting = try begin(accounts[5], requestID: "silent")
                try waiting.send(end)
                #expect(try await eventually { ingress.uploads.reservedBytes < 3 * 5_100_000 })
                #expect(!waiting.hasInput)
                held = []
                #expect(try await eventually { ingress.uploads.reservedBytes == 0 })
            }
        }
    }
}
