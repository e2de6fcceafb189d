import Curl
import Foundation
import Reactor
import TestSupport
import Testing

@Suite("HTTP request", .timeLimit(.minutes(2)))
struct RequestTests {
    @Test(
        "a request arrives with its method, body and header fields, and without a Content-Type that was not set",
        arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"])
    @Loop func methods(method: String) async throws {
        try await withServer { server, client async throws in
            let plain = try await client.perform(HTTPRequest(method: method, url: server.url("echo")))
            #expect(plain.status == 200)
            #expect(plain.body.isEmpty)
            let body = Array("{\"a\": 1}\0\r\n".utf8)
            let response = try await client.perform(
                HTTPRequest(
                    method: method, url: server.url("echo"),
                    headers: [("Content-Type", "application/json"), ("X-Empty", ""), ("X-Trace", "a: b")],
                    body: .bytes(body)))
            #expect(response.body == body)
            #expect(server.requests.map(\.method) == [method, method])
            #expect(server.requests[0].header("content-type") == nil)
            #expect(server.requests[0].header("user-agent") == "warren")
            #expect(server.requests[0].header("expect") == nil)
            #expect(server.requests[1].header("content-type") == "application/json")
            #expect(server.requests[1].header("x-empty") == "")
            #expect(server.requests[1].header("x-trace") == "a: b")
        }
    }

    @Test("a HEAD response has header fields and no body")
    @Loop func head() async throws {
        try await withServer { server, client async throws in
            let response = try await client.perform(HTTPRequest(method: "HEAD", url: server.url("size/1000")))
            #expect(response.status == 200)
            #expect(response.header("content-length") == "1000")
            #expect(response.body.isEmpty)
        }
    }

    @Test("a multipart body arrives unchanged, even with a part of 5 MiB")
    @Loop func multipart() async throws {
        try await withServer { server, client async throws in
            let pattern = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) } + Array("\r\n--".utf8)
            var file: [UInt8] = []
            while file.count < 5 << 20 { file += pattern }
            let request = HTTPRequest(
                method: "POST", url: server.url("echo"),
                body: .multipart([
                    HTTPRequest.Part(name: "timestamp", value: "1700000000"),
                    HTTPRequest.Part(name: "empty", value: ""),
                    HTTPRequest.Part(name: "file", fileName: "a \"b\".png", contentType: "image/png", bytes: file),
                ]), maximumResponseSize: 16 << 20)
            let response = try await client.perform(request)
            let type = try #require(server.requests[0].header("content-type"))
            #expect(type.hasPrefix("multipart/form-data; boundary="))
            let boundary = type.split(separator: "=")[1]
            let head =
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"timestamp\"\r\n\r\n1700000000\r\n"
                + "--\(boundary)\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n"
                + "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a %22b%22.png\"\r\n"
                + "Content-Type: image/png\r\n\r\n"
            #expect(server.requests[0].body == Array(head.utf8) + file + Array("\r\n--\(boundary)--\r\n".utf8))
            #expect(response.body == server.requests[0].body)
        }
    }

    @Test(
        "a malformed HTTP request throws .invalidRequest",
        arguments: [
            HTTPRequest(method: "GET / HTTP/1.1\r\nX: ", url: "http://127.0.0.1/"),
            HTTPRequest(method: "", url: "http://127.0.0.1/"),
            HTTPRequest(url: "http://127.0.0.1/a b"), HTTPRequest(url: ""),
            HTTPRequest(url: "http://127.0.0.1/\r\nX: y"),
            HTTPRequest(url: "http://127.0.0.1/", headers: [("X", "a\r\nY: b")]),
            HTTPRequest(url: "http://127.0.0.1/", headers: [("X: y\r\nZ", "a")]),
            HTTPRequest(url: "http://127.0.0.1/", body: .multipart([.init(name: "a\0b", value: "")])),
            HTTPRequest(url: "file:///etc/passwd"), HTTPRequest(url: "gopher://127.0.0.1/"),
            HTTPRequest(url: "http://"),
            HTTPRequest(url: "http://127.0.0.1:99999/"),
        ])
    @Loop func invalid(request: HTTPRequest) async throws {
        let client = try CurlClient()
        #expect(await failure(client, request)?.code == .invalidRequest)
        client.close()
    }
}
