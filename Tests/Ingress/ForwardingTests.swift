import AMQP
import Contracts
import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing
import WorkerKit

@testable import Ingress

@Suite("From HTTP through the broker and back", .serialized)
struct PassThroughTests {
    private let mark = "ingress-\(UUID().uuidString.prefix(8))"

    @Test("a query's parameters, its caller and its trace reach the worker; the reply is written through")
    func query() async throws {
        let seen = Mutex<Responder.Received?>(nil)
        try await RunningIngress.with { ingress in
            try await Responder.with("media.list", mark: mark) { received in
                seen.withLock { $0 = received }
                return .json(Array(#"{"media":[]}"#.utf8), etag: "\"1\"")
            } _: {
                let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                let response = try ingress.client().call(
                    "GET", "/v1/media?limit=5&page=x", token: try ingress.maker.token(),
                    fields: ["X-Request-Id": "\(mark)-1", "traceparent": trace, "tracestate": "a=1"])
                #expect(response.status == 200)
                #expect(response.body == Array(#"{"media":[]}"#.utf8))
                #expect(response.fields["content-type"] == "application/json")
                #expect(response.fields["etag"] == "\"1\"")
                #expect(response.fields["x-request-id"] == "\(mark)-1")
                #expect(response.fields["x-content-type-options"] == "nosniff")
                let received = try #require(seen.withLock { $0 })
                #expect(received.body == Array(#"{"limit":5,"page":"x"}"#.utf8))
                #expect(received.properties.type == "media.list")
                #expect(received.properties.userID == received.properties.appID)
                #expect(received.properties.contentType == "application/json")
                #expect(!received.properties.isPersistent)
                #expect(received.properties.expiration != nil)
                #expect(received.header(Header.subject) == TokenMaker.subject)
                #expect(received.header(Header.subjectName) == "alice")
                #expect(received.header(Header.traceparent) == trace)
                #expect(received.header(Header.tracestate) == "a=1")
            }
        }
    }

    @Test("a body goes on byte for byte, however wrong it is, and comes with its own problem")
    func body() async throws {
        let seen = Mutex<[UInt8]>([])
        let body = Array("{ \"a\":  1, \u{FEFF} nonsense \u{0}".utf8) + [0xFF, 0xFE]
        try await RunningIngress.with { ingress in
            try await Responder.with("identity.login", mark: mark) { received in
                seen.withLock { $0 = received.body }
                return .problem(Problem(.malformedJSON), traceID: "t")
            } _: {
                let response = try ingress.client().call(
                    "POST", "/v1/auth/login",
                    fields: ["X-Request-Id": "\(mark)-2", "Content-Type": "application/json"], body: body)
                #expect(response.status == 400)
                #expect(response.code == "malformed-json")
                #expect(response.fields["content-type"] == "application/problem+json")
                #expect(seen.withLock { $0 } == body)
            }
        }
    }

    @Test("a picture goes on as the bytes of its part, and as a command that is kept on disk")
    func upload() async throws {
        let seen = Mutex<Responder.Received?>(nil)
        let picture = (0..<5 * 1024 * 1024).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let form =
            Array("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n".utf8)
            + Array("Content-Type: image/png\r\n\r\n".utf8) + picture + Array("\r\n--b--\r\n".utf8)
        try await RunningIngress.with { ingress in
            try await Responder.with("media.upload", mark: mark) { received in
                seen.withLock { $0 = received }
                return .json(Array("{}".utf8), status: 201, location: "/v1/media/x")
            } _: {
                let response = try ingress.client().call(
                    "POST", "/v1/media", token: try ingress.maker.token(),
                    fields: ["X-Request-Id": "\(mark)-3", "Content-Type": "multipart/form-data; boundary=b"],
                    body: form)
                #expect(response.status == 201)
                #expect(response.fields["location"] == "/v1/media/x")
                let received = try #require(seen.withLock { $0 })
                #expect(received.body == picture)
                #expect(received.properties.contentType == "image/png")
                #expect(received.properties.isPersistent)
                #expect(received.properties.expiration == nil)
            }
        }
    }

    @Test("a reply without a body, and HEAD, have none; the connection goes on")
    func empty() async throws {
        try await RunningIngress.with { ingress in
            try await Responder.with("identity.logout-all", mark: mark) { _ in
                .noContent
            } _: {
                let client = try ingress.client()
                let token = try ingress.maker.token()
                let response = try client.call(
                    "POST", "/v1/auth/logout-all", token: token, fields: ["X-Request-Id": "\(mark)-4"])
                #expect(response.status == 204)
                #expect(response.fields["content-length"] == nil)
                let head = try client.call("HEAD", "/health/live")
                #expect(head.status == 200)
                #expect(head.fields["content-length"] == "18")
                #expect(try client.call("GET", "/health/live").body == Array(#"{"status":"alive"}"#.utf8))
            }
        }
    }

    @Test("a message that nobody takes is 503 at once, with Retry-After")
    func unroutable() async throws {
        try await RunningIngress.with { ingress in
            let response = try ingress.client().call(
                "GET", "/v1/search/posts?query=\(mark)", token: try ingress.maker.token())
            #expect(response.status == 503)
            #expect(response.fields["retry-after"] == "1")
            #expect(response.code == "unavailable")
        }
    }

    @Test("where nobody answers in time, a query is 504 and a command on disk 202 with its id")
    func late() async throws {
        try await RunningIngress.with { ingress in
            let token = try ingress.maker.token()
            try await Responder.with("media.get", mark: mark) { _ in
                nil
            } _: {
                let response = try ingress.client().call(
                    "GET", "/v1/media/x", token: token, fields: ["X-Request-Id": "\(mark)-5"])
                #expect(response.status == 504)
                #expect(response.code == "deadline-exceeded")
            }
            try await Responder.with("media.delete", mark: mark) { _ in
                nil
            } _: {
                let response = try ingress.client().call(
                    "DELETE", "/v1/media/x", token: token, fields: ["X-Request-Id": "\(mark)-6"])
                #expect(response.status == 202)
                #expect(response.json?["status"]?.string == "accepted")
                #expect(response.json?["id"]?.string.flatMap { UUID(text: $0) } != nil)
            }
        }
    }

    @Test("a key makes the message id, the same for a caller each time; without one each message has its own")
    func idempotency() async throws {
        let seen = Mutex<[String]>([])
        try await RunningIngress.with { ingress in
            try await Responder.with("post.delete", mark: mark) { received in
                seen.withLock { $0.append(received.properties.messageID ?? "") }
                return .noContent
            } _: {
                let (alice, bob) = (UUID().text, UUID().text)
                let client = try ingress.client()
                for (account, key) in [
                    (alice, "k"), (alice, "k"), (bob, "k"), (alice, "l"), (alice, nil), (alice, nil),
                ] {
                    let token = try ingress.maker.token(claims: ingress.maker.claims(subject: account))
                    var fields = ["X-Request-Id": mark]
                    fields["Idempotency-Key"] = key
                    #expect(try client.call("DELETE", "/v1/posts/x", token: token, fields: fields).status == 204)
                }
                let ids = seen.withLock { $0 }
                #expect(ids.count == 6 && ids[0] == ids[1] && Set(ids).count == 5)
                #expect(ids.map { UUID(text: $0)?.version } == [5, 5, 5, 5, 7, 7])
            }
        }
    }

    @Test("who prefers not to wait is answered as soon as the broker has the command, and 503 where it has it not")
    func respondAsync() async throws {
        let seen = Mutex<Responder.Received?>(nil)
        try await RunningIngress.with { ingress in
            let token = try ingress.maker.token()
            let fields = ["X-Request-Id": mark, "Prefer": "wait=5, respond-async"]
            try await Responder.with("media.delete", mark: mark) { received in
                seen.withLock { $0 = received }
                return nil
            } _: {
                let start = ContinuousClock.now
                let response = try ingress.client().call("DELETE", "/v1/media/x", token: token, fields: fields)
                #expect(ContinuousClock.now - start < .seconds(4), "nobody answers, and nobody is waited for")
                #expect(response.status == 202)
                #expect(response.fields["preference-applied"] == "respond-async")
                let id = try #require(response.json?["id"]?.string)
                #expect(response.json == ["id": .string(id), "status": "accepted"])
                #expect(response.fields["location"] == "/v1/receipts/media/\(id)")
                #expect(try await eventually { seen.withLock { $0 != nil } })
                let properties = try #require(seen.withLock { $0?.properties })
                #expect(properties.messageID == id && properties.replyTo == nil && properties.isPersistent)
            }
            let unroutable = try ingress.client().call("DELETE", "/v1/posts/x", token: token, fields: fields)
            #expect(unroutable.status == 503 && unroutable.fields["retry-after"] == "1")
        }
        try await RunningIngress.with(environment: ["WARREN_AMQP_URL": "amqp://a:b@127.0.0.1:1/x"], waits: false) {
            ingress in
            let away = try ingress.client().call(
                "DELETE", "/v1/posts/x", token: try ingress.maker.token(), fields: ["Prefer": "respond-async"])
            #expect(away.status == 503)
        }
    }

    @Test("what a client has already is 304 to GET and HEAD")
    func notModified() async throws {
        try await RunningIngress.with { ingress in
            try await Responder.with("media.get", mark: mark) { _ in
                .json(Array("{}".utf8), etag: "\"1\"")
            } _: {
                let client = try ingress.client()
                let token = try ingress.maker.token()
                for (method, tags, status) in [
                    ("GET", "\"1\"", 304), ("HEAD", "W/\"1\"", 304), ("GET", "\"2\", \"1\"", 304), ("GET", "*", 304),
                    ("GET", "\"2\"", 200), ("HEAD", "x", 200),
                ] {
                    let response = try client.call(
                        method, "/v1/media/x", token: token, fields: ["X-Request-Id": mark, "If-None-Match": tags])
                    #expect(response.status == status, "\(method) \(tags)")
                    #expect(response.fields["etag"] == "\"1\"")
                    #expect(response.fields["cache-control"] == "private, no-cache")
                    #expect((response.fields["content-length"] == nil) == (status == 304))
                }
            }
        }
    }

    @Test("while the broker is away every call is 503 at once, and it says that it is not ready")
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

    @Test("when the broker has been away and come back, calls go through again")
    func brokerReturns() async throws {
        let (url, proxy) = try TestEnvironment.redirect("WARREN_TEST_AMQP_URL", defaultPort: 5672) {
            try FaultProxy(to: $0)
        }
        try await RunningIngress.with(environment: ["WARREN_AMQP_URL": url]) { ingress in
            try await Responder.with("media.list", mark: mark) { _ in
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

    @Test("more requests than may wait are 503 at once")
    func crowded() async throws {
        let hasCome = Mutex(false)
        try await RunningIngress.with(environment: ["WARREN_PENDING_REQUESTS": "1"]) { ingress in
            try await Responder.with("media.get", mark: mark) { _ in
                hasCome.withLock { $0 = true }
                return nil
            } _: {
                let token = try ingress.maker.token()
                let first = try ingress.client()
                try first.send(
                    "GET /v1/media/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nX-Request-Id: \(mark)\r\n\r\n"
                )
                #expect(try await eventually { hasCome.withLock { $0 } })
                let second = try ingress.client().call(
                    "GET", "/v1/media/y", token: token, fields: ["X-Request-Id": mark])
                #expect(second.status == 503)
                #expect(try first.receive().status == 504)
            }
        }
    }

    @Test("a stop finishes what is in hand, takes nothing new, and leaves nothing behind")
    func stop() async throws {
        try await RunningIngress.with { ingress in
            try await Responder.with("media.list", mark: mark) { _ in
                usleep(300_000)
                return .json(Array("{}".utf8))
            } _: {
                let idle = try ingress.client()
                #expect(try idle.call("GET", "/health/live").status == 200)
                let busy = try ingress.client()
                let token = try ingress.maker.token()
                try busy.send(
                    "GET /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nX-Request-Id: \(mark)\r\n\r\n"
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

    @Test("a stop that has taken as long as it may ends what still waits, and what still sends")
    func stopLimit() async throws {
        let hasCome = Mutex(false)
        try await RunningIngress.with(change: { $0.http.stopLimit = .milliseconds(300) }) { ingress in
            try await Responder.with("media.get", mark: mark) { _ in
                hasCome.withLock { $0 = true }
                return nil
            } _: {
                let token = try ingress.maker.token()
                let waiting = try ingress.client()
                try waiting.send(
                    "GET /v1/media/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nX-Request-Id: \(mark)\r\n\r\n"
                )
                #expect(try await eventually { hasCome.withLock { $0 } })
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
