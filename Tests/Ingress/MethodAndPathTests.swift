import Testing

@testable import Ingress

@Suite("OPTIONS and trailing slashes")
struct MethodAndPathTests {
    @Test("OPTIONS gets 204 with Allow and without a body, and the connection stays open; an unknown path gets 404")
    func options() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            for (path, allow) in [
                ("/v1/posts", "GET, HEAD, OPTIONS, POST"), ("/v1/posts/x?a=b", "DELETE, GET, HEAD, OPTIONS"),
                ("/openapi.json", "GET, HEAD, OPTIONS"), ("*", "DELETE, GET, HEAD, OPTIONS, PATCH, POST"),
            ] {
                let response = try client.call("OPTIONS", path)
                #expect(response.status == 204, "\(path)")
                #expect(response.fields["allow"] == allow)
                #expect(response.fields["content-type"] == nil)
                #expect(response.body.isEmpty)
            }
            #expect(try client.call("OPTIONS", "/v1/nope").status == 404)
        }
    }

    @Test("OPTIONS on a path with PATCH, and a 415 to a PATCH, have Accept-Patch with the accepted type")
    func acceptPatch() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            for (path, type) in [("/v1/media/x", "application/json"), ("/v1/media", nil), ("*", nil)] {
                #expect(try client.call("OPTIONS", path).fields["accept-patch"] == type, "\(path)")
            }
            let token = try ingress.maker.token()
            for (method, path, type) in [("PATCH", "/v1/media/x", "application/json"), ("POST", "/v1/posts", nil)] {
                let response = try client.call(
                    method, path, token: token, fields: ["Content-Type": "application/merge-patch+json"],
                    body: Array("{}".utf8))
                #expect(response.status == 415)
                #expect(response.fields["accept-patch"] == type)
            }
        }
    }

    @Test("a path with a slash at its end gets 308 to the path without it, with the query, and needs no token")
    func trailingSlash() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            for (method, path, location) in [
                ("GET", "/v1/posts/", "/v1/posts"), ("GET", "/v1/posts/?limit=5", "/v1/posts?limit=5"),
                ("DELETE", "/v1/posts/%2F/", "/v1/posts/%2F"), ("HEAD", "/openapi.json/", "/openapi.json"),
                ("GET", "http://other.example/v1/posts/", "/v1/posts"), ("OPTIONS", "/v1/posts/", "/v1/posts"),
            ] {
                let response = try client.call(method, path)
                #expect(response.status == 308, "\(method) \(path)")
                #expect(response.fields["location"] == location)
            }
            for path in ["//evil.example/", "//evil.example/v1/posts/", "/v1/nope/", "/v1/posts//"] {
                let response = try client.call("GET", path)
                #expect(response.status == 404, "\(path)")
                #expect(response.fields["location"] == nil)
            }
        }
    }

    @Test("a 308 for a request with a small body keeps the connection open, and with a large body closes it")
    func bodies() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            #expect(try client.call("POST", "/v1/posts/", body: Array("{}".utf8)).status == 308)
            #expect(try client.call("GET", "/health/live").status == 200)
            try client.send("POST /v1/media/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")
            let response = try client.receive()
            #expect(response.status == 308)
            #expect(response.fields["connection"] == "close")
            #expect(client.isClosed())
        }
    }
}
