import Contracts
import FoundationEssentials
import Synchronization
import Testing
import WorkerKit

@testable import Ingress

@Suite("Lifetime of HTTP connections", .serialized)
struct ConnectionPersistenceTests {
    private let mark = "ingress-\(UUID().uuidString.prefix(8))"

    @Test("an HTTP/1.1 connection stays open until a request has Connection: close, in any case or list, or Upgrade")
    func close() async throws {
        try await RunningIngress.with { ingress in
            let client = try ingress.client()
            for _ in 0..<3 {
                let response = try client.call("GET", "/health/live")
                #expect(response.status == 200 && response.fields["connection"] == nil)
            }
            for connection in ["close", "Close", "CLOSE", "te, close", "keep-alive, close", "upgrade"] {
                let upgrade = connection == "upgrade" ? "h2c" : nil
                let fields = ["Connection": connection, "Upgrade": upgrade].compactMapValues { $0 }
                let client = try ingress.client()
                let response = try client.call("GET", "/health/live", fields: fields)
                #expect(response.status == 200 && response.fields["connection"] == "close", "\(connection)")
                #expect(client.isClosed(), "\(connection)")
            }
        }
    }

    @Test(
        "an HTTP/1.0 request needs no Host field, and its connection is closed unless it has Connection: Keep-Alive")
    func http10() async throws {
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

    @Test("1,500 idle connections stay open while the requests of another connection are served")
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

    @Test("a request that follows a refused body in the same packet is not carried out, and the refusal arrives whole")
    func pipelinedAfterRefusal() async throws {
        let sent = Mutex(0)
        let mark = "pipelined-\(UUID().uuidString.prefix(8))"
        try await RunningIngress.with { ingress in
            try await StubWorker.with("post.delete", mark: mark) { _ in
                sent.withLock { $0 += 1 }
                return nil
            } _: {
                let client = try ingress.client()
                let token = try ingress.maker.token()
                try client.send(
                    "POST /v1/posts HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                        + "Authorization: Bearer \(token)\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                        + "DELETE /v1/posts/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                        + "X-Request-Id: \(mark)\r\n\r\n")
                let response = try client.receive()
                #expect(response.status == 415 && response.fields["connection"] == "close")
                #expect(client.isClosed())
                try await Task.sleep(for: .milliseconds(200))
                #expect(sent.withLock { $0 } == 0)
            }
        }
    }

    @Test("a client that sends thousands of requests at once and ends its input is disconnected")
    func flood() async throws {
        try await RunningIngress.with { ingress in
            try await StubWorker.with("post.list", mark: "no request") { _ in
                nil
            } _: {
                let client = try RawClient(port: ingress.port, receiveBuffer: 4096)
                let token = try ingress.maker.token()
                try client.send("GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n")
                let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                try? client.send(String(repeating: request, count: 5000))
                // At the end of the input, NIO reads all that is left, although the connection wants to read later.
                client.finish()
                #expect(client.isClosed())
            }
        }
    }

    @Test("a request that arrives byte by byte gets 408 after its head timeout or its body timeout")
    func trickle() async throws {
        let short = ConnectionTimeouts(
            idle: 60_000_000_000, head: 500_000_000, body: 500_000_000, response: 60_000_000_000,
            stall: 60_000_000_000)
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
                let duration = ContinuousClock.now - start
                #expect(
                    duration > .milliseconds(450) && duration < .seconds(9), "\(beginning.prefix(30)): \(duration)")
                #expect(client.isClosed())
            }
        }
    }

    @Test(
        "a client that does not read its response within the timeout is disconnected; a slow client that does is not"
    )
    func slowReader() async throws {
        let short = ConnectionTimeouts(
            idle: 60_000_000_000, head: 60_000_000_000, body: 60_000_000_000, response: 8_000_000_000,
            stall: 60_000_000_000)
        // The body is larger than the socket buffers of both sides, but small enough not to block the event loop that
        // all tests share.
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
                    "the test must read for longer than a closed connection lingers")
            }
        }
    }
}
