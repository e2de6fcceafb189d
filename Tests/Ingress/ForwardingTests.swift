import AMQP
import Contracts
import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing
import WorkerKit

@testable import Ingress

@Suite("Requests forwarded to a worker", .serialized)
struct ForwardingTests {
    private let mark = "ingress-\(UUID().uuidString.prefix(8))"

    @Test("a query reaches the worker with its parameters, caller and trace, and the reply becomes the response")
    func query() async throws {
        let seen = Mutex<StubWorker.Received?>(nil)
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.list", mark: mark) { received in
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

    @Test("a malformed JSON body is forwarded byte for byte, and the worker's problem becomes the response")
    func body() async throws {
        let seen = Mutex<[UInt8]>([])
        let body = Array("{ \"a\":  1, \u{FEFF} nonsense \u{0}".utf8) + [0xFF, 0xFE]
        try await RunningIngress.with { ingress in
            try await StubWorker.with("identity.login", mark: mark) { received in
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

    @Test("a PATCH is forwarded with the parameter of its path as a member of its JSON body")
    func patch() async throws {
        let seen = Mutex<StubWorker.Received?>(nil)
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.update", mark: mark) { received in
                seen.withLock { $0 = received }
                return .json(Array("{}".utf8))
            } _: {
                let response = try ingress.client().call(
                    "PATCH", "/v1/media/some%22id", token: try ingress.maker.token(),
                    fields: ["X-Request-Id": "\(mark)-p", "Content-Type": "application/json"],
                    body: Array(#"{"description": "A rabbit"}"#.utf8))
                #expect(response.status == 200)
                let received = try #require(seen.withLock { $0 })
                #expect(received.body == Array(#"{"description": "A rabbit","id":"some\"id","ifMatch":null}"#.utf8))
                #expect(received.properties.isPersistent)
            }
        }
    }

    @Test("a PATCH is forwarded with the entity tags of If-Match, and a malformed If-Match gets 400")
    func patchIfMatch() async throws {
        let seen = Mutex<[UInt8]>([])
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.update", mark: mark) { received in
                seen.withLock { $0 = received.body }
                return .json(Array("{}".utf8), etag: "\"b\"")
            } _: {
                let token = try ingress.maker.token()
                func patch(_ ifMatch: String?, _ body: String = "{}") throws -> RawClient.Response {
                    var fields = ["X-Request-Id": "\(mark)-i", "Content-Type": "application/json"]
                    fields["If-Match"] = ifMatch
                    return try ingress.client().call(
                        "PATCH", "/v1/media/1", token: token, fields: fields, body: Array(body.utf8))
                }
                for (ifMatch, tags) in [
                    (nil, "null"), ("*", "null"), (#""a", W/"b""#, #"["\"a\""]"#), (#"W/"a""#, "[]"),
                ] {
                    let response = try patch(ifMatch)
                    #expect(response.status == 200)
                    #expect(response.fields["etag"] == "\"b\"")
                    let body = String(decoding: seen.withLock { $0 }, as: UTF8.self)
                    #expect(body == #"{"id":"1","ifMatch":\#(tags)}"#)
                }
                #expect(try patch("a").status == 400)
            }
        }
    }

    @Test(
        "a PATCH or DELETE with tags in If-None-Match gets 400 and is not forwarded",
        arguments: ["\"a\"", "W/\"a\"", "a", "*, \"a\""])
    func ifNoneMatch(field: String) async throws {
        let seen = Mutex(0)
        try await RunningIngress.with { ingress in
            for (method, path, type) in [
                ("PATCH", "/v1/media/1", "media.update"), ("DELETE", "/v1/media/1", "media.delete"),
                ("DELETE", "/v1/posts/1", "post.delete"),
            ] {
                try await StubWorker.with(type, mark: mark) { _ in
                    seen.withLock { $0 += 1 }
                    return .noContent
                } _: {
                    let fields = [
                        "X-Request-Id": "\(mark)-k", "Content-Type": "application/json", "If-None-Match": field,
                        "If-Match": "\"a\"",
                    ]
                    let response = try ingress.client().call(
                        method, path, token: try ingress.maker.token(), fields: fields,
                        body: method == "PATCH" ? Array("{}".utf8) : [])
                    #expect(response.status == 400)
                    #expect(response.json?["code"] == "unsupported-condition")
                    #expect(response.json?["detail"]?.string?.contains("If-None-Match") == true)
                }
            }
        }
        #expect(seen.withLock { $0 } == 0)
    }

    @Test("a PATCH or DELETE with If-None-Match: * is forwarded with a list of no entity tags")
    func ifNoneMatchAny() async throws {
        let seen = Mutex<[UInt8]>([])
        try await RunningIngress.with { ingress in
            for (method, path, type) in [
                ("PATCH", "/v1/media/1", "media.update"), ("DELETE", "/v1/media/1", "media.delete"),
                ("DELETE", "/v1/posts/1", "post.delete"),
            ] {
                try await StubWorker.with(type, mark: mark) { received in
                    seen.withLock { $0 = received.body }
                    if method == "PATCH" { return .json(Array("{}".utf8)) }
                    return .noContent
                } _: {
                    for ifMatch in [nil, "*", "\"a\""] {
                        var fields = [
                            "X-Request-Id": "\(mark)-n", "Content-Type": "application/json", "If-None-Match": "*",
                        ]
                        fields["If-Match"] = ifMatch
                        let response = try ingress.client().call(
                            method, path, token: try ingress.maker.token(), fields: fields,
                            body: method == "PATCH" ? Array("{}".utf8) : [])
                        #expect(response.status == (method == "PATCH" ? 200 : 204))
                        #expect(String(decoding: seen.withLock { $0 }, as: UTF8.self) == #"{"id":"1","ifMatch":[]}"#)
                    }
                }
            }
        }
    }

    @Test("a POST is forwarded only if its conditions hold for a resource without an entity tag")
    func postConditions() async throws {
        // A GET of this path is possible.
        let toList: [(name: String, value: String, status: Int)] = [
            ("If-Match", "\"a\"", 412), ("If-Match", "a", 400), ("If-Match", "*", 201), ("If-None-Match", "*", 412),
            ("If-None-Match", "\"a\"", 201),
        ]
        try await checkPost("/v1/posts", "post.create", toList)
        // A GET of this path is not possible.
        let toAction: [(name: String, value: String, status: Int)] = [
            ("If-Match", "\"a\"", 412), ("If-Match", "*", 412), ("If-None-Match", "*", 204),
            ("If-None-Match", "\"a\"", 204),
        ]
        try await checkPost("/v1/auth/logout-all", "identity.logout-all", toAction)
    }

    /// Sends a POST with each of some fields, and checks the status and whether the request is forwarded.
    private func checkPost(
        _ path: String, _ type: String, _ rows: [(name: String, value: String, status: Int)]
    ) async throws {
        let seen = Mutex(0)
        try await RunningIngress.with { ingress in
            try await StubWorker.with(type, mark: mark) { _ in
                seen.withLock { $0 += 1 }
                if type == "post.create" { return .json(Array("{}".utf8), status: 201, location: "/v1/posts/x") }
                return .noContent
            } _: {
                let token = try ingress.maker.token()
                for row in rows {
                    let before = seen.withLock { $0 }
                    let response = try ingress.client().call(
                        "POST", path, token: token,
                        fields: ["X-Request-Id": "\(mark)-o", "Content-Type": "application/json", row.name: row.value],
                        body: path == "/v1/posts" ? Array("{}".utf8) : nil)
                    #expect(response.status == row.status, "\(path) \(row)")
                    #expect(seen.withLock { $0 } == before + (row.status < 300 ? 1 : 0), "\(path) \(row)")
                }
            }
        }
    }

    @Test("a worker refuses a PATCH whose body has the member ifMatch, also if its name is escaped")
    func memberIfMatch() async throws {
        let seen = Mutex<[UInt8]>([])
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.update", mark: mark) { received in
                seen.withLock { $0 = received.body }
                return .json(Array("{}".utf8))
            } _: {
                for name in ["ifMatch", #"\u0069fMatch"#] {
                    _ = try ingress.client().call(
                        "PATCH", "/v1/media/\(UUID().text)", token: try ingress.maker.token(),
                        fields: ["X-Request-Id": "\(mark)-j", "Content-Type": "application/json"],
                        body: Array(#"{"description": null, "\#(name)": []}"#.utf8))
                    let problem = #expect(throws: Problem.self) {
                        try Messages.Media.update.request.decode(seen.withLock { $0 })
                    }
                    #expect(problem?.code == .malformedJSON)
                }
            }
        }
    }

    @Test("a PATCH whose body begins with a byte order mark is forwarded with the parameter of its path")
    func byteOrderMark() async throws {
        let seen = Mutex<[UInt8]>([])
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.update", mark: mark) { received in
                seen.withLock { $0 = received.body }
                return .json(Array("{}".utf8))
            } _: {
                for body in ["\u{FEFF}{\"description\":null}", "\u{FEFF} \r\n{\"description\":null} "] {
                    let response = try ingress.client().call(
                        "PATCH", "/v1/media/1", token: try ingress.maker.token(),
                        fields: ["X-Request-Id": "\(mark)-b", "Content-Type": "application/json"],
                        body: Array(body.utf8))
                    #expect(response.status == 200)
                    #expect(try JSON.parse(seen.withLock { $0 })["id"] == "1")
                }
            }
        }
    }

    @Test("the description of an upload is forwarded as the header description, which other uploads do not have")
    func description() async throws {
        let seen = Mutex<StubWorker.Received?>(nil)
        let file = "--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nx\r\n"
        let text = "A rabbit 🐇\r\nand a hare"
        let description = "--b\r\nContent-Disposition: form-data; name=description\r\n\r\n\(text)\r\n"
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.upload", mark: mark) { received in
                seen.withLock { $0 = received }
                return .json(Array("{}".utf8), status: 201, location: "/v1/media/x")
            } _: {
                for (form, expected) in [(file, nil), (description + file, text), (file + description, text)] {
                    let response = try ingress.client().call(
                        "POST", "/v1/media", token: try ingress.maker.token(),
                        fields: [
                            "X-Request-Id": "\(mark)-d", "Content-Type": "multipart/form-data; boundary=b",
                        ], body: Array((form + "--b--\r\n").utf8))
                    #expect(response.status == 201)
                    let received = try #require(seen.withLock { $0 })
                    #expect(received.body == Array("x".utf8))
                    #expect(received.header(Header.description) == expected)
                }
            }
        }
    }

    @Test("an upload is forwarded as the bytes of its file, in a persistent message")
    func upload() async throws {
        let seen = Mutex<StubWorker.Received?>(nil)
        let picture = (0..<5 * 1024 * 1024).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let form =
            Array("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n".utf8)
            + Array("Content-Type: image/png\r\n\r\n".utf8) + picture + Array("\r\n--b--\r\n".utf8)
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.upload", mark: mark) { received in
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

    @Test("the entity tags of If-Match are forwarded with a deletion, and are not taken from the query")
    func ifMatch() async throws {
        let seen = Mutex<[UInt8]>([])
        try await RunningIngress.with { ingress in
            try await StubWorker.with("post.delete", mark: mark) { received in
                seen.withLock { $0 = received.body }
                return .noContent
            } _: {
                let token = try ingress.maker.token()
                func delete(_ target: String, _ ifMatch: String?) throws -> RawClient.Response {
                    var fields = ["X-Request-Id": "\(mark)-6"]
                    fields["If-Match"] = ifMatch
                    return try ingress.client().call("DELETE", target, token: token, fields: fields)
                }
                for (ifMatch, body) in [
                    (nil, #"{"id":"1"}"#), ("*", #"{"id":"1"}"#), (#""a", W/"b""#, #"{"id":"1","ifMatch":["\"a\""]}"#),
                    (#"W/"a""#, #"{"id":"1","ifMatch":[]}"#),
                    (#""a-gzip""#, #"{"id":"1","ifMatch":["\"a-gzip\"","\"a\""]}"#),
                ] {
                    #expect(try delete("/v1/posts/1", ifMatch).status == 204)
                    #expect(String(decoding: seen.withLock { $0 }, as: UTF8.self) == body)
                }
                #expect(try delete("/v1/posts/1", "a").status == 400)
                let long = "\"\(String(repeating: "x", count: 255))\""
                #expect(try delete("/v1/posts/1", "\(long), \"b\"").status == 204)
                #expect(seen.withLock { $0 } == Array(#"{"id":"1","ifMatch":["\"b\""]}"#.utf8))
                let tags = (0..<100).map { "\"\($0)-gzip\"" }
                #expect(try delete("/v1/posts/1", tags.joined(separator: ",")).status == 204)
                #expect(try JSON.parse(seen.withLock { $0 })["ifMatch"]?.array?.count == 200)
                #expect(try delete("/v1/posts/1", (tags + ["\"b\""]).joined(separator: ",")).status == 400)
                #expect(try delete("/v1/posts/1?ifMatch=a", "\"a\"").status == 400)
            }
        }
    }

    @Test("the responses to a 204 reply and to a HEAD request have no body, and the connection stays open")
    func empty() async throws {
        try await RunningIngress.with { ingress in
            try await StubWorker.with("identity.logout-all", mark: mark) { _ in
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

    @Test("if no reply arrives before the deadline, a query gets 504, and a command gets 202 with its id")
    func late() async throws {
        try await RunningIngress.with { ingress in
            let token = try ingress.maker.token()
            try await StubWorker.with("media.get", mark: mark) { _ in
                nil
            } _: {
                let response = try ingress.client().call(
                    "GET", "/v1/media/x", token: token, fields: ["X-Request-Id": "\(mark)-5"])
                #expect(response.status == 504)
                #expect(response.code == "deadline-exceeded")
            }
            try await StubWorker.with("media.delete", mark: mark) { _ in
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

    @Test("a caller's idempotency key determines the message id; without a key each message has a new id")
    func idempotency() async throws {
        let seen = Mutex<[String]>([])
        try await RunningIngress.with { ingress in
            try await StubWorker.with("post.delete", mark: mark) { received in
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

    @Test(
        "a command with respond-async gets 202 as soon as the broker has it, and 503 if the broker does not accept it")
    func respondAsync() async throws {
        let seen = Mutex<StubWorker.Received?>(nil)
        try await RunningIngress.with { ingress in
            let token = try ingress.maker.token()
            let fields = ["X-Request-Id": mark, "Prefer": "wait=5, respond-async"]
            try await StubWorker.with("media.delete", mark: mark) { received in
                seen.withLock { $0 = received }
                return nil
            } _: {
                let start = ContinuousClock.now
                let response = try ingress.client().call("DELETE", "/v1/media/x", token: token, fields: fields)
                #expect(ContinuousClock.now - start < .seconds(4), "the response must not wait for a reply")
                #expect(response.status == 202)
                #expect(response.fields["preference-applied"] == "respond-async")
                let id = try #require(response.json?["id"]?.string)
                #expect(response.json == ["id": .string(id), "status": "accepted"])
                #expect(response.fields["location"]?.hasPrefix("/v1/receipts/media/") == true)
                #expect(try await eventually { seen.withLock { $0 != nil } })
                let properties = try #require(seen.withLock { $0?.properties })
                #expect(properties.messageID == id && properties.isPersistent)
                #expect(properties.headers[Header.deadline]?.int64 == 0, "no worker may assume that the client waits")
            }
            let unroutable = try ingress.client().call("DELETE", "/v1/posts/x", token: token, fields: fields)
            #expect(unroutable.status == 503 && unroutable.fields["retry-after"] == "1")
        }
        try await RunningIngress.with(environment: ["WARREN_AMQP_URL": "amqp://a:b@127.0.0.1:1/x"], waits: false) {
            ingress in
            let unavailable = try ingress.client().call(
                "DELETE", "/v1/posts/x", token: try ingress.maker.token(), fields: ["Prefer": "respond-async"])
            #expect(unavailable.status == 503)
        }
    }

    @Test("a receipt's path becomes a query with the id and the time of the command; any other path gets 404")
    func receipt() async throws {
        let seen = Mutex<[StubWorker.Received]>([])
        try await RunningIngress.with { ingress in
            let caller = Caller(id: try #require(UUID(text: TokenMaker.subject)), username: "alice")
            let command = OutgoingRequest(Messages.Media.delete.descriptor, caller: caller, body: [], requestID: mark)
            let time = Timestamp(milliseconds: 1_738_314_300_123)
            let receipt = try ReceiptTokens(keys: [RunningIngress.receiptKey]).token(for: command, acceptedAt: time)
            let (token, fields) = (try ingress.maker.token(), ["X-Request-Id": mark])
            try await StubWorker.with("media.receipt", mark: mark) { received in
                seen.withLock { $0.append(received) }
                return .problem(Problem(.receiptExpired), traceID: nil)
            } _: {
                let expired = try ingress.client().call(
                    "GET", "/v1/receipts/media/\(receipt)", token: token, fields: fields)
                #expect(expired.status == 410 && expired.json?["code"]?.string == "receipt-expired")
                for path in ["media/\(command.id.text)", "post/\(receipt)", "media/\(receipt)A", "media/%41"] {
                    let missing = try ingress.client().call(
                        "GET", "/v1/receipts/\(path)", token: token, fields: fields)
                    #expect(missing.status == 404 && missing.json?["code"]?.string == "receipt-not-found", "\(path)")
                }
            }
            let bodies = seen.withLock { $0.map { String(decoding: $0.body, as: UTF8.self) } }
            #expect(bodies == [#"{"id":"\#(command.id.text)","acceptedAt":"2025-01-31T09:05:00.123Z"}"#])
        }
    }

    @Test("GET and HEAD get 304 if the client has the current version, and 200 otherwise")
    func notModified() async throws {
        try await RunningIngress.with { ingress in
            try await StubWorker.with("media.get", mark: mark) { _ in
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
}
