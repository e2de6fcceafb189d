import Curl
import Reactor
import TestSupport
import Testing

@Suite("HTTP response", .timeLimit(.minutes(2)))
struct ResponseTests {
    @Test(
        "a response with any status is returned and does not throw an error",
        arguments: [200, 204, 401, 404, 423, 500, 503])
    @Loop func statuses(status: Int) async throws {
        try await withServer { server, client async throws in
            let response = try await client.perform(HTTPRequest(url: server.url("status/\(status)")))
            #expect(response.status == status)
            #expect(response.body == (status == 204 ? [] : Array("as asked".utf8)))
        }
    }

    @Test("response header fields keep their order, have trimmed values, and are found in upper and lower case")
    @Loop func headers() async throws {
        try await withServer { server, client async throws in
            let response = try await client.perform(HTTPRequest(url: server.url("headers")))
            #expect(response.header("etag") == "\"a:b\"")
            #expect(response.headers.map(\.name) == ["ETag", "Set-Cookie", "set-cookie", "Empty", "Content-Length"])
            #expect(response.header("EMPTY") == "")
            #expect(response.header("absent") == nil)
        }
    }

    @Test("a redirect response is returned and not followed")
    @Loop func redirect() async throws {
        try await withServer { server, client async throws in
            let response = try await client.perform(HTTPRequest(url: server.url("redirect")))
            #expect(response.status == 302)
            #expect(response.header("location") == "/echo")
            #expect(server.requests.count == 1)
        }
    }

    @Test("a response body larger than the maximum throws .tooLarge, with and without Content-Length")
    @Loop func tooLarge() async throws {
        try await withServer { server, client async throws in
            let exact = try await client.perform(
                HTTPRequest(url: server.url("size/100000"), maximumResponseSize: 100_000))
            #expect(exact.body.count == 100_000)
            let withLength = HTTPRequest(url: server.url("size/100001"), maximumResponseSize: 100_000)
            #expect(await failure(client, withLength)?.code == .tooLarge)
            let chunked = try await client.perform(
                HTTPRequest(url: server.url("chunked/100"), maximumResponseSize: 1600))
            #expect(chunked.body.count == 1600)
            let withoutLength = HTTPRequest(url: server.url("chunked/101"), maximumResponseSize: 1600)
            #expect(await failure(client, withoutLength)?.code == .tooLarge)
            let empty = try await client.perform(HTTPRequest(url: server.url("size/0"), maximumResponseSize: 0))
            #expect(empty.body.isEmpty)
        }
    }
}
