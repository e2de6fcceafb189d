import Contracts
import FoundationEssentials
import Testing
import WorkerKit

@testable import Ingress

@Suite("Lifetime of HTTP connections", .serialized)
struct ConnectionPersistenceTests {
    private let mark = "ingress-\(UUID().uuidString.prefix(8))"

    @Test("an HTTP/1.1 connection is kept open until the client asks to close it, in any spelling")
    func close() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            for _ in 0..<3 {
                let response = try client.call("GET", "/health/live")
                #expect(response.status == 200 && response.fields["connection"] == nil)
            }
            for wish in ["close", "Close", "CLOSE", "te, close", "keep-alive, close", "upgrade"] {
                let fields = ["Connection": wish, "Upgrade": wish == "upgrade" ? "h2c" : nil].compactMapValues { $0 }
                let client = try ingress.client()
                let response = try client.call("GET", "/health/live", fields: fields)
                #expect(response.status == 200 && response.fields["connection"] == "close", "\(wish)")
                #expect(client.isClosed(), "\(wish)")
            }
        }
    }

    @Test(
        "an HTTP/1.0 connection is closed after the response unless the client asks to keep it; it needs no Host field")
    func old() async throws {
        try await RunningIngress.with { ingress in
            for fields in ["", "Host: x\r\n", "Host: x\r\nConnection: close\r\n"] {
                let client = try ingress.client()
                try client.send("GET /health/live HTTP/1.0\r\n\(fields)\r\n")
                let response = try client.receive()
                #expect(response.status == 200 && response.fields["connection"] == "close")
                #expect(client.isClosed())
            }
            let client = try ingress.client()
            for _ in 0..<3 {
                try client.send("GET /health/live HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
                let response = try client.receive()
                #expect(response.status == 200 && response.fields["connection"] == "keep-alive")
            }
            try client.send(
                "POST /v1/auth/register HTTP/1.0\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 2\r\n\r\n")
            try await Task.sleep(for: .milliseconds(200))
            try client.send("{}")
            #expect(try client.receive().status == 503, "an HTTP/1.0 client gets no 100 Continue")
            #expect(client.isClosed())
        }
    }

    @Test("1,500 idle connections are kept open while others are served")
    func crowd() async throws {
        try await RunningIngress.with(change: { $0.timeouts.head = 60_000_000_000 }) { ingress in
            try await StubWorker.with("media.list", mark: mark) { _ in
                .json(Array("{}".utf8))
            } _: {
                var idle: [RawClient] = []
                for _ in 0..<1500 { idle.append(try ingress.client()) }
                let busy = try ingress.client()
                let token = try ingress.maker.token()
                for _ in 0..<50 {
                    #expect(try busy.call("GET", "/health/live").status == 200)
                    let list = try busy.call("GET", "/v1/media", token: token, fields: ["X-Request-Id": mark])
                    #expect(list.status == 200)
                }
                for client in idle { #expect(try client.call("HEAD", "/health/live").status == 200) }
            }
        }
    }

    @Test("a request that trickles in does not extend its head timeout or its body timeout")
    func trickle() async throws {
        let short = ConnectionTimeouts(
            idle: 60_000_000_000, head: 500_000_000, body: 500_000_000, response: 60_000_000_000)
        let post = "POST /v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        try await RunningIngress.with(change: { $0.timeouts = short }) { ingress in
            for beginning in [
                "GET /health/live HTTP/1.1\r\n", "\(post)Content-Length: 60000\r\n\r\n",
                "\(post)Transfer-Encoding: chunked\r\n\r\n", "",
            ] {
                let client = try ingress.client()
                try client.send(beginning)
                let piece = beginning.hasSuffix("chunked\r\n\r\n") ? "1\r\nx\r\n" : beginning.isEmpty ? "\r\n" : "x"
                let start = ContinuousClock.now
                while ContinuousClock.now - start < .seconds(10), (try? client.send(piece)) != nil {
                    try await Task.sleep(for: .milliseconds(25))
                    if client.hasInput { break }
                }
                let response = try client.receive()
                #expect(response.status == 408 && response.code == "request-timeout", "\(beginning.prefix(30))")
                let lasted = ContinuousClock.now - start
                #expect(lasted > .milliseconds(450) && lasted < .seconds(9), "\(beginning.prefix(30)): \(lasted)")
                #expect(client.isClosed())
            }
        }
    }

    @Test(
        "a client that reads slower than the response timeout allows is disconnected; a slow one within it is not"
    )
    func slowReader() async throws {
        let short = ConnectionTimeouts(
            idle: 60_000_000_000, head: 60_000_000_000, body: 60_000_000_000, response: 8_000_000_000)
        // Larger than the socket buffers of both sides, but not so large that it blocks the loop that all tests
        // share.
        let size = 8 << 20
        let large = Array(repeating: UInt8(ascii: "x"), count: size)
        try await RunningIngress.with(change: { $0.timeouts = short }) { ingress in
            try await StubWorker.with("media.list", mark: mark) { _ in
                .json(large)
            } _: {
                let token = try ingress.maker.token()
                let request =
                    "GET /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nX-Request-Id: \(mark)\r\n"
                let clients = try (0..<2).map { _ in try RawClient(port: ingress.port, receiveBuffer: 65536) }
                for client in clients { try client.send("\(request)\r\n") }
                for second in 0..<11 {
                    // A further request must not extend the timeout.
                    if second == 3 { try clients[1].send("\(request)\r\n") }
                    _ = clients[1].drain(upTo: 1000)
                    try await Task.sleep(for: .seconds(1))
                }
                for client in clients {
                    while let count = client.drain(upTo: 1 << 20), count > 0 {}
                    #expect(client.drained < size, "\(client.drained) of \(size)")
                    #expect(client.isClosed())
                }
                let slow = try RawClient(port: ingress.port, receiveBuffer: 65536)
                try slow.send("\(request)Connection: close\r\n\r\n")
                let start = ContinuousClock.now
                while let count = slow.drain(upTo: size / 16), count > 0 {
                    try await Task.sleep(for: .milliseconds(200))
                }
                #expect(slow.drained > size, "\(slow.drained) of \(size)")
                #expect(
                    ContinuousClock.now - start > .seconds(2),
                    "reading took longer than the lingering time of a closed connection")
            }
        }
    }
}
