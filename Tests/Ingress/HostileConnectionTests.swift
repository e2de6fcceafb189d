import Contracts
import FoundationEssentials
import Glibc
import TestSupport
import Testing
import WorkerKit

@testable import Ingress

@Suite("Clients that occupy the server", .serialized)
struct HostileConnectionTests {
    @Test("clients that do not read their responses hold at most the budget, and another client is served")
    func unreadResponses() async throws {
        let mark = "unread-\(UUID().uuidString.prefix(8))"
        let budget = 16 << 20
        let page = Array(#"{"items":"\#(String(repeating: "x", count: 1 << 20))"}"#.utf8)
        try await RunningIngress.with(change: { $0.responseBytes = budget }) { ingress in
            try await StubWorker.with("post.list", mark: mark) { _ in
                .json(page)
            } _: {
                func begin(_ account: UUID) throws -> RawClient {
                    let token = try ingress.maker.token(claims: ingress.maker.claims(subject: account.uuidString))
                    let client = try RawClient(port: ingress.port, receiveBuffer: 4096)
                    let request =
                        "GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                        + "X-Request-Id: \(mark)\r\n\r\n"
                    try client.send(String(repeating: request, count: 4))
                    return client
                }
                let account = UUID()
                var silent = try (0..<40).map { _ in try begin(account) }
                #expect(try await eventually { ingress.responses.reservedBytes > budget / 4 })
                // The client's share is a third. The requests over it get 429, which is small.
                for _ in 0..<20 {
                    #expect(ingress.responses.reservedBytes <= budget / 3)
                    try await Task.sleep(for: .milliseconds(20))
                }
                let token = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
                let other = try ingress.client().call(
                    "GET", "/v1/posts", token: token, fields: ["X-Request-Id": mark])
                #expect(other.status == 200 && other.body == page)
                // With many accounts, the whole budget is the limit.
                silent += try (0..<40).map { _ in try begin(UUID()) }
                for _ in 0..<20 {
                    #expect(ingress.responses.reservedBytes <= budget)
                    try await Task.sleep(for: .milliseconds(20))
                }
                silent = []
                #expect(try await eventually { ingress.responses.reservedBytes == 0 })
            }
        }
    }

    @Test("the reply to a command is never replaced, even if the budget for responses is exhausted")
    func commandReply() async throws {
        let mark = "command-\(UUID().uuidString.prefix(8))"
        let reply = Array(#"{"content":"\#(String(repeating: "x", count: 20_000))"}"#.utf8)
        try await RunningIngress.with(change: { $0.responseBytes = 3000 }) { ingress in
            try await StubWorker.with("post.create", mark: mark) { _ in
                .json(reply, status: 201)
            } _: {
                let response = try ingress.client().call(
                    "POST", "/v1/posts", token: ingress.maker.token(),
                    fields: ["Content-Type": "application/json", "X-Request-Id": mark], body: Array("{}".utf8))
                #expect(response.status == 201 && response.body == reply)
                let document = try ingress.client().call("GET", "/openapi.json")
                #expect(document.status == 429, "a response without a command is replaced")
            }
        }
    }

    @Test("a client that reads pipelined large responses slowly gets all of them, one after another")
    func slowReader() async throws {
        let mark = "slow-\(UUID().uuidString.prefix(8))"
        let page = Array(#"{"items":"\#(String(repeating: "x", count: 1 << 20))"}"#.utf8)
        try await RunningIngress.with { ingress in
            try await StubWorker.with("post.list", mark: mark) { _ in
                .json(page)
            } _: {
                let client = try RawClient(port: ingress.port, receiveBuffer: 4096)
                let token = try ingress.maker.token()
                let request =
                    "GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "X-Request-Id: \(mark)\r\n\r\n"
                try client.send(request + request + request)
                try await Task.sleep(for: .milliseconds(300))
                for _ in 0..<3 {
                    let response = try client.receive()
                    #expect(response.status == 200 && response.body == page)
                }
                #expect(try await eventually { ingress.responses.reservedBytes == 0 })
            }
        }
    }

    @Test("the large OpenAPI document counts towards the budget for responses as well")
    func unreadDocument() async throws {
        let budget = 16 << 20
        try await RunningIngress.with(change: { $0.responseBytes = budget }) { ingress in
            let address = RawClient.anyLoopback
            let request = String(repeating: "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", count: 60)
            var silent: [RawClient] = []
            for _ in 0..<100 {
                let client = try RawClient(port: ingress.port, from: address, receiveBuffer: 4096)
                try client.send(request)
                silent.append(client)
                #expect(ingress.responses.reservedBytes <= budget / 3)
            }
            #expect(try await eventually { ingress.responses.reservedBytes > 0 })
            #expect(try ingress.client().call("GET", "/openapi.json").status == 200)
            silent = []
            #expect(try await eventually { ingress.responses.reservedBytes == 0 })
        }
    }

    @Test("idle connections of one address make room for its new ones, and other addresses are served at once")
    func idleFlood() async throws {
        let limits = ["WARREN_HTTP_CONNECTIONS": "40", "WARREN_HTTP_CONNECTIONS_PER_CLIENT": "10"]
        let mark = "idle-\(UUID().uuidString.prefix(8))"
        try await RunningIngress.with(environment: limits) { ingress in
            let address = RawClient.anyLoopback
            let token = try ingress.maker.token()
            try await StubWorker.with("post.list", mark: "no request") { _ in
                nil
            } _: {
                // The connection of a request in flight is never closed to make room.
                let busy = try RawClient(port: ingress.port, from: address)
                try busy.send(
                    "GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                        + "X-Request-Id: \(mark)\r\n\r\n")
                try await Task.sleep(for: .milliseconds(100))
                let flood = try (0..<200).map { _ in try RawClient(port: ingress.port, from: address) }
                #expect(try ingress.client().call("GET", "/health/live").status == 200)
                #expect(try RawClient(port: ingress.port, from: address).call("GET", "/health/live").status == 200)
                #expect(flood[0].isClosed(), "the connection that has been idle longest is closed")
                #expect(try busy.receive().status == 504)
            }
        }
    }

    @Test("idle connections of many addresses make room for a new client")
    func distributedFlood() async throws {
        let limits = ["WARREN_HTTP_CONNECTIONS": "40", "WARREN_HTTP_CONNECTIONS_PER_CLIENT": "10"]
        try await RunningIngress.with(environment: limits) { ingress in
            let flood = try (0..<200).map { _ in try ingress.client() }
            for _ in 0..<5 { #expect(try ingress.client().call("GET", "/health/live").status == 200) }
            #expect(flood[0].isClosed())
        }
    }

    @Test("incomplete requests are closed for new clients")
    func incompleteRequests() async throws {
        let limits = ["WARREN_HTTP_CONNECTIONS": "40", "WARREN_HTTP_CONNECTIONS_PER_CLIENT": "10"]
        try await RunningIngress.with(environment: limits) { ingress in
            let flood = try (0..<60).map { _ in
                let client = try ingress.client()
                try client.send(
                    "POST /v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        + "Content-Length: 100\r\n\r\n{")
                return client
            }
            for _ in 0..<5 { #expect(try ingress.client().call("GET", "/health/live").status == 200) }
            // The connections over the limit have replaced as many of the flood.
            #expect(try await eventually { flood.count { $0.hasInput } >= 20 })
        }
    }

    @Test("if requests are being handled on all connections, health probes are answered and other requests get 503")
    func reserve() async throws {
        let limits = ["WARREN_HTTP_CONNECTIONS": "10", "WARREN_HTTP_CONNECTIONS_PER_CLIENT": "10"]
        let mark = "reserve-\(UUID().uuidString.prefix(8))"
        try await RunningIngress.with(environment: limits) { ingress in
            try await StubWorker.with("post.list", mark: "no request") { _ in
                nil
            } _: {
                let token = try ingress.maker.token()
                let busy = try (0..<10).map { _ in
                    let client = try ingress.client()
                    try client.send(
                        "GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                            + "X-Request-Id: \(mark)\r\n\r\n")
                    return client
                }
                #expect(try await eventually { await ingress.pendingRequests == 10 })
                // The server records that a request is being handled just after it has sent the message.
                try await Task.sleep(for: .milliseconds(200))
                let probe = try ingress.client()
                for _ in 0..<2 { #expect(try probe.call("GET", "/health/ready").status == 200) }
                let refused = try ingress.client()
                let response = try refused.call("GET", "/v1/posts", token: token)
                #expect(response.status == 503 && response.code == "unavailable")
                #expect(response.fields["retry-after"] == "1" && response.fields["connection"] == "close")
                #expect(refused.isClosed())
                let head = try ingress.client()
                let withoutBody = try head.call("HEAD", "/v1/posts", token: token)
                #expect(withoutBody.status == 503 && head.isClosed(), "no body follows")
                for client in busy { #expect(try client.receive().status == 504) }
                // When the requests have been handled, each new connection is a regular one again.
                let later = try (0..<30).map { _ in
                    let client = try ingress.client()
                    #expect(try client.call("GET", "/openapi.json").status == 200)
                    return client
                }
                #expect(later.count == 30)
            }
        }
    }

    @Test("a client that stops reading is disconnected long before the response timeout")
    func stalledReader() async throws {
        let mark = "stalled-\(UUID().uuidString.prefix(8))"
        let page = Array(#"{"items":"\#(String(repeating: "x", count: 4 << 20))"}"#.utf8)
        try await RunningIngress.with(change: { $0.timeouts.stall = 2_000_000_000 }) { ingress in
            try await StubWorker.with("post.list", mark: mark) { _ in
                .json(page)
            } _: {
                let token = try ingress.maker.token()
                func begin() throws -> RawClient {
                    let client = try RawClient(port: ingress.port, receiveBuffer: 65536)
                    try client.send(
                        "GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                            + "X-Request-Id: \(mark)\r\n\r\n")
                    return client
                }
                let (stalled, slow) = (try begin(), try begin())
                // The slow client reads its response in about 3 s.
                while slow.drained < page.count, slow.drain(upTo: 150_000) ?? 0 > 0 {
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(slow.drained >= page.count)
                #expect(try await eventually { ingress.responses.reservedBytes == 0 })
                while stalled.drained < page.count, stalled.drain(upTo: 150_000) ?? 0 > 0 {}
                #expect(stalled.drained < page.count, "the response is cut off")
            }
        }
    }

    @Test("if slow readers hold the whole budget, a new response replaces the oldest one")
    func eviction() async throws {
        let mark = "evict-\(UUID().uuidString.prefix(8))"
        let page = Array(#"{"items":"\#(String(repeating: "x", count: 2 << 20))"}"#.utf8)
        try await RunningIngress.with(change: { $0.responseBytes = 4 * page.count }) { ingress in
            try await StubWorker.with("post.list", mark: mark) { _ in
                .json(page)
            } _: {
                func token() throws -> String {
                    try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
                }
                let silent = try (1...4).map { number in
                    let client = try RawClient(port: ingress.port, receiveBuffer: 4096)
                    try client.send(
                        "GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token())\r\n"
                            + "X-Request-Id: \(mark)\r\n\r\n")
                    try #require(waitUntil { ingress.responses.reservedBytes == number * page.count })
                    return client
                }
                // A response is replaced only if it is more than a second old.
                usleep(1_100_000)
                let response = try ingress.client().call(
                    "GET", "/v1/posts", token: token(), fields: ["X-Request-Id": mark])
                #expect(response.status == 200 && response.body == page)
                #expect(waitUntil { ingress.responses.reservedBytes == 3 * page.count })
                var received = 0
                while received < page.count, let count = silent[0].drain(upTo: 100_000), count > 0 { received += count }
                #expect(received < page.count, "the oldest response is cut off")
            }
        }
    }

    @Test("an account whose uploads fill its share of the queue gets 429, and other accounts do not")
    func queueShare() async throws {
        let mark = "share-\(UUID().uuidString.prefix(8))"
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.upload", mark: mark) { _ in
                nil
            } _: {
                let file = [UInt8](repeating: 0, count: Messages.Media.uploadLimit)
                let head = #"Content-Disposition: form-data; name="file"; filename="x.png""#
                let form = SampleForm.part(head, file) + Array("--\(SampleForm.boundary)--\r\n".utf8)
                func upload(_ token: String) throws -> RawClient.Response {
                    try ingress.client().call(
                        "POST", "/v1/media", token: token,
                        fields: [
                            "X-Request-Id": mark, "Prefer": "respond-async",
                            "Content-Type": "multipart/form-data; boundary=\(SampleForm.boundary)",
                        ], body: form)
                }
                let token = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
                // An account may occupy an eighth of the 1 GiB of the queue.
                for _ in 0..<(1 << 30) / 8 / file.count {
                    let status = try upload(token).status
                    try #require(status == 202)
                }
                let refused = try upload(token)
                #expect(refused.status == 429 && refused.code == "too-many-requests")
                #expect(refused.fields["retry-after"] == "10")
                let other = try ingress.maker.token(claims: ingress.maker.claims(subject: UUID().uuidString))
                #expect(try upload(other).status == 202)
            }
        }
    }
}

/// Waits on the calling thread, which may block, until a condition holds.
private func waitUntil(_ condition: () -> Bool) -> Bool {
    for _ in 0..<1000 where !condition() { usleep(10_000) }
    return condition()
}
