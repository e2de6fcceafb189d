import Contracts
import Curl
import Foundation
import Reactor
import TestSupport
import Testing

/// A malformed or invalid body, and the problem that it must get.
struct HostileBody: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let body: [UInt8]
    let status: Int
    let code: String
    /// The JSON pointers of the faults; empty if the problem has no list of faults.
    let pointers: Set<String>

    init(_ description: String, _ body: String, _ status: Int = 400, _ code: String = "malformed-json") {
        self.init(description, Array(body.utf8), status, code)
    }

    init(_ description: String, _ body: [UInt8], _ status: Int = 400, _ code: String = "malformed-json") {
        (testDescription, self.body, self.status, self.code, pointers) = (description, body, status, code, [])
    }

    init(_ description: String, _ body: String, at pointers: Set<String>) {
        (testDescription, self.body, status, code) = (description, Array(body.utf8), 422, "invalid")
        self.pointers = pointers
    }

    /// Returns the body of a post whose content consists of these bytes.
    private static func content(_ bytes: [UInt8]) -> [UInt8] {
        Array(#"{"content": ""#.utf8) + bytes + Array("\"}".utf8)
    }

    private static func nested(_ depth: Int) -> String {
        #"{"content": "# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
    }

    static let malformed = [
        HostileBody("no bytes", ""), HostileBody("white space", " \r\n\t"),
        HostileBody("a truncated document", #"{"content": "#),
        HostileBody("an unterminated string", #"{"content": "a"#),
        HostileBody("two documents", #"{"content": "a"}{"content": "b"}"#),
        HostileBody("bytes after the document", #"{"content": "a"} x"#),
        HostileBody("NUL after the document", #"{"content": "a"}"# + "\u{0}"),
        HostileBody("two byte order marks", "\u{FEFF}\u{FEFF}" + #"{"content": "a"}"#),
        HostileBody("UTF-16", Array(#"{"content": "a"}"#.utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }),
        HostileBody("a duplicate name", #"{"content": "a", "content": "b"}"#),
        HostileBody(
            "a duplicate name, written once with an escape sequence and once without",
            #"{"content": "a", "c\u006fntent": "b"}"#),
        HostileBody("nesting of 33 levels", nested(32)), HostileBody("nesting of 30,000 levels", nested(30_000)),
        HostileBody("a byte that is not UTF-8", content([0xFF])),
        HostileBody("a truncated UTF-8 sequence", content([0xE2, 0x82])),
        HostileBody("an overlong slash", content([0xC0, 0xAF])), HostileBody("an overlong NUL", content([0xC0, 0x80])),
        HostileBody("a surrogate in UTF-8", content([0xED, 0xA0, 0x80])),
        HostileBody("a code point above U+10FFFF", content([0xF4, 0x90, 0x80, 0x80])),
        HostileBody("half a surrogate pair", #"{"content": "\ud800"}"#),
        HostileBody("a surrogate pair in the wrong order", #"{"content": "\udc00\ud800"}"#),
        HostileBody("an invalid escape", #"{"content": "\x41"}"#),
        HostileBody("a raw line feed in a text", "{\"content\": \"a\nb\"}"),
        HostileBody("a raw NUL in a text", "{\"content\": \"a\u{0}b\"}"),
        HostileBody("a number that is too large", #"{"content": 1e999999}"#),
        HostileBody("a number of 10,000 digits", #"{"content": \#(String(repeating: "9", count: 10_000))}"#),
        HostileBody("a number with a leading zero", #"{"content": 01}"#), HostileBody("NaN", #"{"content": NaN}"#),
        HostileBody("a hexadecimal number", #"{"content": 0x10}"#), HostileBody("single quotes", "{'content': 'a'}"),
        HostileBody("a comment", #"{"content": "a" /* b */}"#), HostileBody("a trailing comma", #"{"content": "a",}"#),
        HostileBody("a form", "content=a"), HostileBody("XML", "<content>a</content>"),
        HostileBody(
            "more than 64 KiB", #"{"content": "\#(String(repeating: "a", count: 65_536))"}"#, 413, "body-too-large"),
    ]

    static let invalid = [
        HostileBody("null", "null", at: [""]), HostileBody("an array", "[]", at: [""]),
        HostileBody("a string", "\"a\"", at: [""]),
        HostileBody("a number", "1", at: [""]), HostileBody("nesting of 32 levels", nested(31), at: ["/content"]),
        HostileBody("U+0000, escaped", #"{"content": "a\u0000b"}"#, at: ["/content"]),
        HostileBody("a number instead of a string", #"{"content": 1}"#, at: ["/content"]),
        HostileBody(
            "a huge number instead of a string", #"{"content": 123456789012345678901234567890}"#, at: ["/content"]),
        HostileBody("an object instead of a string", #"{"content": {"$gt": ""}}"#, at: ["/content"]),
        HostileBody("5,001 characters", #"{"content": "\#(String(repeating: "ä", count: 5001))"}"#, at: ["/content"]),
        HostileBody("a text of white space only", #"{"content": " \u00a0\u2003\u3000\t\n"}"#, at: ["/content"]),
        HostileBody(
            "fields that the server sets",
            #"{"content": "a", "id": "x", "author": {"id": "y"}, "authorId": "y", "createdAt": "2000-01-01"}"#,
            at: ["/id", "/author", "/authorId", "/createdAt"]),
        HostileBody(
            "names that are special in JavaScript",
            #"{"content": "a", "__proto__": {"admin": true}, "constructor": 1}"#,
            at: ["/__proto__", "/constructor"]),
        HostileBody("a name in another case", #"{"Content": "a"}"#, at: ["/content", "/Content"]),
        HostileBody(
            "malformed ids", #"{"content": "a", "mediaIds": ["../..", 1]}"#, at: ["/mediaIds/0", "/mediaIds/1"]),
        HostileBody(
            "eleven ids",
            #"{"content": "a", "mediaIds": [\#((0..<11).map { _ in "\"\(UUID())\"" }.joined(separator: ","))]}"#,
            at: ["/mediaIds"]),
    ]

    static let stored = [
        #"{"content": "'; DROP TABLE posts; --"}"#, #"{"content": "<script>alert(1)</script>"}"#,
        #"{"content": "\u202egnp.exe \u200b\ufeff"}"#, #"{"content": "\ud83d\udc07"}"#,
        #"{"content": "a\r\n\u001b[31m"}"#,
        #"{"content": "{{7*7}} ${7*7} %s%n"}"#, "\u{FEFF}" + #"{"content": "marked"}"#,
        " \t\r\n{ \"content\" : \"a\" } \n",
        #"{"content": "\#(String(repeating: "\u{1F407}", count: 5000))"}"#, #"{"content": "\uffff\ufffe\u0001"}"#,
    ]
}

extension Journeys {
    @Suite("Hostile bodies and queries") struct HostileBodies {
        private static let json = [(name: "Content-Type", value: "application/json")]

        @Loop private func author() async throws -> APIClient {
            let client = try APIClient()
            return client.signedIn(as: try await TestAccount.register(client))
        }

        @Test("a body that is not JSON gets 400, a body of more than 64 KiB gets 413, and the next request is served")
        @Loop func malformed() async throws {
            let client = try await author()
            for row in HostileBody.malformed {
                let response = try await client.send("POST", "/v1/posts", body: .bytes(row.body), headers: Self.json)
                #expect(response.status == row.status, "\(row.testDescription): \(response.text)")
                try response.expectProblem(row.status, row.code)
            }
            try await client.createPost("still there").expect(201)
        }

        @Test(
            "a JSON body that violates the schema gets 422 with a pointer to each fault and to each unknown field")
        @Loop func invalid() async throws {
            let client = try await author()
            for row in HostileBody.invalid {
                let response = try await client.send("POST", "/v1/posts", body: .bytes(row.body), headers: Self.json)
                let problem = try response.expectProblem(row.status, row.code)
                let pointers = Set(problem["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [])
                #expect(pointers == row.pointers, "\(row.testDescription): \(response.text)")
            }
        }

        @Test("content with SQL, HTML, control characters or rare characters is stored and returned unchanged")
        @Loop func stored() async throws {
            let client = try await author()
            for body in HostileBody.stored {
                let sent = try JSON.parse(Array(body.utf8))
                let response = try await client.send(
                    "POST", "/v1/posts", body: .bytes(Array(body.utf8)), headers: Self.json)
                let post = try response.expect(201)
                #expect(post["content"] == sent["content"])
                #expect(try await client.get("/v1/posts/\(post.text("id"))").expect(200)["content"] == sent["content"])
            }
        }

        @Test("a compressed body gets 415, and Accept-Encoding in the response says that only identity is allowed")
        @Loop func compressed() async throws {
            let client = try await author()
            // A gzip file that contains `{}` (RFC 1952).
            let zip: [UInt8] = [
                0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xAB, 0xAE, 5, 0, 0x43, 0xBF, 0xA6, 0xA3, 2, 0, 0, 0,
            ]
            for coding in ["gzip", "deflate", "br", "gzip, identity", "x"] {
                let headers = Self.json + [(name: "Content-Encoding", value: coding)]
                let response = try await client.send("POST", "/v1/posts", body: .bytes(zip), headers: headers)
                try response.expectProblem(415, "unsupported-media-type")
                #expect(response.header("Accept-Encoding") == "identity")
            }
            let upload = try await client.upload(
                RandomPNG.make(), headers: [(name: "Content-Encoding", value: "gzip")])
            try upload.expectProblem(415, "unsupported-media-type")
        }

        @Test("a malformed query gets a problem with 400 or 422, and an unusual path never gets a 500")
        @Loop func queries() async throws {
            let client = try await author()
            let long = String(repeating: "a", count: 8000)
            let refused = [
                "limit=0", "limit=101", "limit=-1", "limit=1e9", "limit=1000000000", "limit=9999999999999999999999",
                "limit=%2B5", "limit=05", "limit=", "limit", "limit=5&limit=5", "limit[]=5", "limit=%00", "limit=5%00",
                "limit=NaN", "page=0", "page=-1", "page=9223372036854775807", "page=1.5", "page=1&cursor=a",
                "cursor=forged", "cursor=%00", "cursor=%0d%0aX:%20y", "cursor=" + long, "cursor=AAAA",
                "cursor=\(String(repeating: "a", count: 32))", "unknown=1", "a=b=c", "=x", "__proto__=1", "%", "%zz",
                "a=%ff", "a=%c0%af", "q=%1b[31m", "limit=5;page=2", "limit=5%26page=2",
            ]
            for query in refused {
                for path in ["/v1/posts", "/v1/media"] {
                    let response = try await client.get("\(path)?\(query)")
                    #expect([400, 422].contains(response.status), "\(path)?\(query.prefix(80)): \(response.status)")
                    #expect(response.header("Content-Type") == "application/problem+json", "\(query.prefix(80))")
                }
            }
            for query in ["", "&&&", "limit=1&", "&limit=1", "%6cimit=%31", "limit=1&page=1000000"] {
                try await client.get("/v1/posts?\(query)").expect(200)
            }
            for id in [
                "x", "%00", "..%2f..", "%2e%2e", "00000000-0000-0000-0000-00000000000g", long, "%0d%0aa:b", "%27",
            ] {
                let response = try await client.get("/v1/posts/\(id)")
                #expect([400, 404, 422].contains(response.status), "\(id.prefix(40)): \(response.status)")
            }
            for path in [
                "//v1/posts", "/v1//posts", "/v1/posts/", "/v1/./posts", "/v1/posts/../media", "/V1/posts",
                "/v1%2fposts",
            ] {
                let response = try await client.send("GET", path)
                #expect([200, 308, 404].contains(response.status), "\(path): \(response.status)")
            }
        }
    }
}
