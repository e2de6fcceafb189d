import AMQP
import Contracts
import FaultProxy
import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing
import WorkerKit

@testable import Ingress

@Suite("Requests without a broker or a worker, and graceful shutdown", .serialized)
struct AvailabilityTests {
    private let mark = "ingress-\(UUID().uuidString.prefix(8))"

    @Test("a request whose message cannot be routed to a queue gets 503 with Retry-After")
    func unroutable() async throws {
        try await RunningIngress.with { ingress in
            let response = try ingress.client().call(
                "GET", "/v1/search/posts?query=\(mark)", token: try ingress.maker.token())
            #expect(response.status == 503)
            #expect(response.fields["retry-after"] == "1")
            #expect(response.code == "unavailable")
        }
    }

    @Test("while the broker is unreachable, a call and the readiness probe get 503, and the liveness probe gets 200")
    func brokerAway() async throws {
        try await RunningIngress.with(environment: ["WARREN_AMQP_URL": "amqp://a:b@127.0.0.1:1/x"], waits: false) {
            ingress in
            let client = try ingress.client()
            let response = try client.call("GET", "/v1/media", token: try ingress.maker.token())
            #expect(response.status == 503)
            #expect(response.fields["retry-after"] == "1")
            #expect(try client.call("GET", "/health/live").status == 200)
            let ready = try client.call("GET", "/health/ready")
            #expect(ready.status == 503)
            #expect(ready.json?["broker"]?.string == "down")
        }
    }

    @Test("calls get 503 while the broker connection is interrupted, and succeed again afterwards")
    func brokerReturns() async throws {
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_AMQP_URL", defaultPort: 5672) {
            try FaultProxy(to: $0)
        }
        try await RunningIngress.with(environment: ["WARREN_AMQP_URL": url]) { ingress in
            try await StubWorker.with("media.list", mark: mark) { _ in
                .json(Array("{}".utf8))
            } _: {
                let token = try ingress.maker.token()
                func status() throws -> Int {
                    try ingress.client().call("GET", "/v1/media", token: token, fields: ["X-Request-Id": "\(mark)-7"])
                        .status
                }
                #expect(try status() == 200)
                proxy.refuse()
                #expect(try await eventually { try status() == 503 })
                proxy.resume()
                #expect(try await eventually(within: .seconds(20)) { try status() == 200 })
            }
        }
        proxy.stop()
    }

    @Test("a request over the limit of pending requests gets 503 at once")
    func crowded() async throws {
        let hasArrived = Mutex(false)
        try await RunningIngress.with(environment: ["WARREN_PENDING_REQUESTS": "1"]) { ingress in
            try await StubWorker.with("media.get", mark: mark) { _ in
                hasArrived.withLock { $0 = true }
                return nil
            } _: {
                let token = try ingress.maker.token()
                let first = try ingress.client()
                try first.send(
                    "GET /v1/media/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                        + "X-Request-Id: \(mark)\r\n\r\n"
                )
                #expect(try await eventually { hasArrived.withLock { $0 } })
                let second = try ingress.client().call(
                    "GET", "/v1/media/y", token: token, fields: ["X-Request-Id": mark])
                #expect(second.status == 503)
                #expect(try first.receive().status == 504)
            }
        }
    }

    @Test("a graceful shutdown completes the requests in flight, closes every connection and accepts no new one")
    func stop() async throws {
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.list", mark: mark) { _ in
                usleep(300_000)
                return .json(Array("{}".utf8))
            } _: {
                let idle = try ingress.client()
                #expect(try idle.call("GET", "/health/live").status == 200)
                let busy = try ingress.client()
                let token = try ingress.maker.token()
                try busy.send(
                    "GET /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                        + "X-Request-Id: \(mark)\r\n\r\n"
                )
                try await Task.sleep(for: .milliseconds(100))
                await ingress.stop()
                #expect(try busy.receive().status == 200)
                #expect(idle.isClosed())
                #expect(busy.isClosed())
                #expect(try await eventually { (try? ingress.client()) == nil })
            }
        }
    }

    @Test(
        "at the stop limit of a shutdown, a request that waits for a reply gets 504, and every connection is closed")
    func stopLimit() async throws {
        let hasArrived = Mutex(false)
        try await RunningIngress.with(change: { $0.http.stopLimit = .milliseconds(300) }) { ingress in
            try await StubWorker.with("media.get", mark: mark) { _ in
                hasArrived.withLock { $0 = true }
                return nil
            } _: {
                let token = try ingress.maker.token()
                let waiting = try ingress.client()
                try waiting.send(
                    "GET /v1/media/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                        + "X-Request-Id: \(mark)\r\n\r\n"
                )
                #expect(try await eventually { hasArrived.withLock { $0 } })
                let sending = try ingress.client()
                try sending.send(
                    "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        + "Content-Length: 10\r\n\r\n{")
                try await Task.sleep(for: .milliseconds(100))
                await ingress.stop()
                #expect(try waiting.receive().status == 504)
                #expect(waiting.isClosed())
                #expect(sending.isClosed())
            }
        }
    }
}
