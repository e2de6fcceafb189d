import Curl
import Foundation
import Reactor
import TestSupport
import Testing

@Suite("An HTTP server that fails", .timeLimit(.minutes(2)))
struct FaultTests {
    @Test("and cuts the response is told from one that answers", arguments: ["cut", "hang-up"])
    @Loop func cut(path: String) async throws {
        try await withServer { server, client async throws in
            #expect(await failure(client, HTTPRequest(url: server.url(path)))?.code == .cut)
            #expect(try await client.perform(HTTPRequest(url: server.url("echo"))).status == 200)
        }
    }

    @Test("and is silent or stalls runs into the time limit", arguments: ["silence", "stall"])
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

    @Test("and is not there cannot be connected to, and can once it is")
    @Loop func refused() async throws {
        let server = try HTTPServer()
        let proxy = try FaultProxy(to: server.port)
        defer { proxy.stop() }
        let client = try CurlClient()
        let request = HTTPRequest(url: "http://127.0.0.1:\(proxy.port)/echo")
        #expect(try await client.perform(request).status == 200)
        proxy.refuse()
        #expect(await failure(client, request)?.code == .cut)
        proxy.resume()
        #expect(try await client.perform(request).status == 200)
        server.stop()
        #expect(await failure(client, HTTPRequest(url: server.url("echo")))?.code == .couldNotConnect)
        #expect(await failure(client, HTTPRequest(url: "http://name.invalid/"))?.code == .couldNotConnect)
        client.close()
    }

    @Test("and does not speak HTTP is an error")
    @Loop func garbage() async throws {
        try await withServer { server, client async throws in
            let error = await failure(client, HTTPRequest(url: server.url("garbage")))
            #expect(error?.message.isEmpty == false)
        }
    }

    @Test("and does not speak TLS, or has a certificate nobody vouches for, gets nothing")
    @Loop func tls() async throws {
        try await withServer { server, client async throws in
            let plain = HTTPRequest(url: "https://127.0.0.1:\(server.port)/echo")
            #expect(await failure(client, plain)?.code == .tls)
            #expect(server.requests.isEmpty)
            let stranger = try await TLSServer.start()
            let error = await failure(client, HTTPRequest(url: "https://localhost:\(stranger.port)/"))
            #expect(error?.code == .tls)
            stranger.stop()
        }
    }
}
