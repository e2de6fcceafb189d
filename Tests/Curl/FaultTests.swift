import Curl
import FaultProxy
import Foundation
import Reactor
import TestSupport
import Testing

@Suite("Failing HTTP servers", .timeLimit(.minutes(2)))
struct FaultTests {
    @Test(
        "a request whose response is cut off fails with .connectionLost, and the next request succeeds",
        arguments: ["cut", "hang-up"])
    @Loop func cut(path: String) async throws {
        try await withServer { server, client async throws in
            let error = await failure(client, HTTPRequest(url: server.url(path)))
            #expect(error?.code == .connectionLost)
            #expect(error?.isTransient == true)
            #expect(try await client.perform(HTTPRequest(url: server.url("echo"))).status == 200)
        }
    }

    @Test(
        "a request fails with .timedOut if the server sends no response or only a part of it",
        arguments: ["silence", "stall"])
    @Loop func timeouts(path: String) async throws {
        try await withServer { server, client async throws in
            var request = HTTPRequest(url: server.url(path))
            request.timeouts.total = .milliseconds(200)
            #expect(await failure(client, request)?.code == .timedOut)
            request.timeouts.total = .seconds(60)
            request.timeouts.lowSpeedTime = .seconds(1)
            #expect(await failure(client, request)?.code == .timedOut)
        }
    }

    @Test("requests fail while the server refuses connections and succeed when it accepts them again")
    @Loop func refused() async throws {
        let server = try HTTPServer()
        let proxy = try FaultProxy(to: server.port)
        defer { proxy.stop() }
        let client = try CurlClient()
        let request = HTTPRequest(url: "http://127.0.0.1:\(proxy.port)/echo")
        #expect(try await client.perform(request).status == 200)
        proxy.refuse()
        #expect(await failure(client, request)?.code == .connectionLost)
        proxy.resume()
        #expect(try await client.perform(request).status == 200)
        server.stop()
        #expect(await failure(client, HTTPRequest(url: server.url("echo")))?.code == .couldNotConnect)
        #expect(await failure(client, HTTPRequest(url: "http://name.invalid/"))?.code == .couldNotConnect)
        client.close()
    }

    @Test("a request that was sent before the server stopped fails with .connectionLost, not with .couldNotConnect")
    @Loop func stopped() async throws {
        let server = try HTTPServer()
        let client = try CurlClient()
        // libcurl sends the second request again on a new connection, because the first one used the connection before.
        #expect(try await client.perform(HTTPRequest(url: server.url("echo"))).status == 200)
        async let error = failure(client, HTTPRequest(method: "POST", url: server.url("silence"), body: .bytes([1])))
        #expect(try await eventually { server.requests.count == 2 })
        server.stop()
        #expect(await error?.code == .connectionLost)
        client.close()
    }

    @Test("a request fails with an error message if the server does not speak HTTP")
    @Loop func garbage() async throws {
        try await withServer { server, client async throws in
            let error = await failure(client, HTTPRequest(url: server.url("garbage")))
            #expect(error?.message.isEmpty == false)
        }
    }

    @Test("an HTTPS request fails with .tls and is not sent if the server has no TLS or an untrusted certificate")
    @Loop func tls() async throws {
        try await withServer { server, client async throws in
            let plain = HTTPRequest(url: "https://127.0.0.1:\(server.port)/echo")
            #expect(await failure(client, plain)?.code == .tls)
            #expect(server.requests.isEmpty)
            let untrusted = try await TLSServer.start()
            let error = await failure(client, HTTPRequest(url: "https://localhost:\(untrusted.port)/"))
            #expect(error?.code == .tls)
            #expect(error?.isTransient == false)
            untrusted.stop()
        }
    }
}
