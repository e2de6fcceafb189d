import Curl
import Foundation
import Reactor
import TestSupport
import Testing

@Suite("Failing HTTP servers", .timeLimit(.minutes(2)))
struct FaultTests {
    @Test(
        "a response that is cut off fails with .connectionLost, and the next request succeeds",
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
        "a server that sends nothing or stalls makes the request fail with .timedOut", arguments: ["silence", "stall"])
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

    @Test("requests fail while the server is down and succeed when it is back")
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

    @Test("a server that does not speak HTTP makes the request fail")
    @Loop func garbage() async throws {
        try await withServer { server, client async throws in
            let error = await failure(client, HTTPRequest(url: server.url("garbage")))
            #expect(error?.message.isEmpty == false)
        }
    }

    @Test("a server without TLS or with an untrusted certificate fails with .tls and receives no request")
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
