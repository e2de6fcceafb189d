import Contracts
import Curl
import Foundation
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Hostile HTTP requests") struct HostileHTTP {
        @Test("a wrong path, method, media type, body or token gets a problem with the common header fields")
        @Loop func problems() async throws {
            let anonymous = try APIClient()
            let person = try await TestAccount.register(anonymous)
            let client = anonymous.signedIn(as: person)
            var responses: [APIResponse] = []
            func expect(_ response: APIResponse, _ status: Int, _ code: String) throws {
                try response.expectProblem(status, code)
                responses.append(response)
            }
            try expect(await client.get("/v2/unknown"), 404, "not-found")
            try expect(await client.get("/create-post"), 404, "not-found")
            let method = try await client.send("PATCH", "/v1/posts")
            try expect(method, 405, "method-not-allowed")
            let allowed = (method.header("Allow") ?? "").split(separator: ",").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            #expect(Set(allowed).isSuperset(of: ["GET", "POST"]))
            let typed = [(name: "Content-Type", value: "text/plain")]
            try expect(
                await client.send("POST", "/v1/posts", body: .bytes(Array("hello".utf8)), headers: typed),
                415, "unsupported-media-type")
            try expect(try await raw(client, #"{"content": "#), 400, "malformed-json")
            try expect(try await raw(client, #"{"content": "a", "content": "b"}"#), 400, "malformed-json")
            try expect(await client.get("/v1/posts/%ff"), 400, "malformed-request")
            try expect(await anonymous.get("/v1/posts"), 401, "unauthenticated")
            var garbage = anonymous
            for token in ["garbage", "a.b.c", person.accessToken.dropLast(4) + "AAAA"] {
                garbage.token = String(token)
                try expect(await garbage.get("/v1/posts"), 401, "invalid-token")
            }
            try expect(
                try await raw(client, "\"\(String(repeating: "x", count: 70_000))\""), 413, "body-too-large")
            try expect(
                await client.upload(Array("<html>no picture</html>".utf8)), 415, "unsupported-media-type")
            for response in responses { expectCommonFields(response) }
            #expect(
                responses.filter { $0.status == 401 }.allSatisfy {
                    $0.header("WWW-Authenticate")?.hasPrefix("Bearer") == true
                })
        }

        @Loop private func raw(_ client: APIClient, _ body: String) async throws -> APIResponse {
            try await client.send(
                "POST", "/v1/posts", body: .bytes(Array(body.utf8)),
                headers: [(name: "Content-Type", value: "application/json")])
        }

        /// Checks the header fields that every response has.
        @Loop private func expectCommonFields(_ response: APIResponse) {
            #expect(response.header("X-Request-Id") == response.requestID, "\(response.call)")
            #expect(response.header("X-Content-Type-Options") == "nosniff", "\(response.call)")
            for name in [
                "Content-Security-Policy", "Strict-Transport-Security", "X-Frame-Options", "Referrer-Policy",
                "RateLimit", "RateLimit-Policy",
            ] {
                #expect(response.header(name) != nil, "\(name) of \(response.call)")
            }
            #expect(response.header("Server") == nil)
            #expect(response.header("X-Powered-By") == nil)
        }

        @Test("an invalid body gets 422 with all faults at once, each with its pointer")
        @Loop func faults() async throws {
            let client = try APIClient()
            let body: JSON = [
                "username": "a b", "email": "nowhere", "password": "short", "admin": true,
            ]
            let problem = try await client.post("/v1/auth/register", body).expectProblem(422, "invalid")
            let pointers = Set(problem["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [])
            #expect(pointers == ["/username", "/email", "/password", "/admin"])
            let person = try await TestAccount.register(client)
            let post = try await client.signedIn(as: person).post(
                "/v1/posts", ["content": "  ", "mediaIds": ["no-id"], "tags": []])
            let faults = try post.expectProblem(422, "invalid")["errors"]?.array ?? []
            #expect(
                Set(faults.compactMap { $0["pointer"]?.string }) == ["/content", "/mediaIds/0", "/tags"])
            #expect(faults.allSatisfy { $0["message"]?.string?.isEmpty == false })
        }

        @Test("logs contain no control characters that a client has sent, and no log line that a client has forged")
        @Loop func logs() async throws {
            let stack = try Stack()
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            let mark = randomWord(12)
            let evil = "\r\n\u{1b}[31m{\"level\":\"forged-\(mark)\"}\u{0}\u{7f}\u{9b}"
            let escaped = evil.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            _ = try await client.signedIn(as: person).get("/v1/\(mark)\(escaped)")
            _ = try await client.signedIn(as: person).get("/v1/posts/\(mark)\(escaped)")
            _ = try await client.signedIn(as: person).search("\(mark)\(escaped)")
            _ = try await client.signedIn(as: person).createPost("\(mark)\(evil)")
            _ = try await client.post("/v1/auth/login", ["email": .string(mark + evil), "password": .string(evil)])
            let port = try #require(URLComponents(string: client.url)?.port)
            for request in [
                "GET /v1/\(mark)\u{1b}[31m HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /\(mark) HTTP/1.1\r\nHost: x\r\nX-Request-Id: \(mark)\u{1b}[31m\r\nConnection: close\r\n\r\n",
                "GET /\(mark) HTTP/1.1\r\nHost: x\r\nUser-Agent: a\u{b}b\rc\r\nConnection: close\r\n\r\n",
                "GET /\(mark) HTTP/1.1\r\nHost: x\r\nX-Request-Id: \(mark) {\"a\"}\r\nConnection: close\r\n\r\n",
                "\(mark)\u{1b}]0;title\u{7} / HTTP/9.9\r\n\r\n", "\(mark)\u{0}\u{1}\u{2}\r\n\r\n",
            ] {
                let response = await RawHTTP.exchange(Array(request.utf8), port: port)
                #expect(response.isEmpty || response.hasPrefix("HTTP/1.1 4"), "\(response.prefix(60))")
            }
            // Other tests cause many refusals, and the ingress logs only some of them, so the request is repeated.
            #expect(
                try await eventually {
                    _ = try await client.signedIn(as: person).get("/v1/\(mark)\(escaped)")
                    return try !stack.logLines(of: "ingress", containing: mark).isEmpty
                })
            for service in Stack.daemons {
                let log = try stack.logBytes(of: service)
                #expect(log.allSatisfy { $0 == 0x0a || ($0 >= 0x20 && $0 != 0x7f) }, "control characters: \(service)")
                for line in log.split(separator: 0x0a) where String(decoding: line, as: UTF8.self).contains(mark) {
                    let entry = try JSON.parse(Array(line))
                    #expect(entry["level"]?.string?.contains("forged") != true)
                    #expect(entry["message"]?.string?.contains(mark) != true)
                }
            }
        }
    }
}
