import Contracts
import FoundationEssentials
import HTTPTypes
import NIOHTTP1
import Testing
import WorkerKit

@testable import Ingress

@Suite("Prefer, Idempotency-Key and If-None-Match")
struct RequestFieldTests {
    @Test(
        "respond-async is recognized in a Prefer field, alone or among other preferences",
        arguments: [
            "respond-async", "Respond-Async", "respond-async, wait=10", "wait=10,respond-async", " respond-async ",
            "respond-async;x=1", "respond-async=\"\"", "a=\"b, c\", respond-async", "a=\"\\\"\",respond-async",
            ",, respond-async,",
        ])
    func async(field: String) {
        #expect(Preferences(field).respondAsync)
    }

    @Test(
        "a Prefer field without a valid respond-async as the first of that name is ignored",
        arguments: [
            nil, "", "respond-asynchronously", "respond-async=false", "return=respond-async", "a=\"b, respond-async\"",
            "a=\"respond-async", "respond-async=0, respond-async", "a;respond-async", "respond async",
        ])
    func notAsync(field: String?) {
        #expect(!Preferences(field).respondAsync)
    }

    @Test("respond-async is recognized in the second of two Prefer fields")
    func joined() {
        let fields = RequestFields(HTTPHeaders([("Prefer", "wait=5"), ("prefer", "respond-async")]))
        #expect(Preferences(fields.prefer).respondAsync)
    }

    @Test("a caller and an idempotency key always yield the same UUIDv5 message id; another caller or key does not")
    func keys() throws {
        let (alice, bob) = (Caller(id: UUID(), username: "alice"), Caller(id: UUID(), username: "bob"))
        let id = try IdempotencyKey.messageID("a", of: alice)
        #expect(id.version == 5)
        #expect(try IdempotencyKey.messageID("a", of: Caller(id: alice.id, username: "renamed")) == id)
        #expect(try IdempotencyKey.messageID("b", of: alice) != id)
        #expect(try IdempotencyKey.messageID("A", of: alice) != id)
        #expect(try IdempotencyKey.messageID("a", of: bob) != id)
        let namespace = try #require(UUID(text: "a03393de-9bdd-433f-b1b4-a33eb1ca0168"))
        #expect(id == .v5(namespace: namespace, name: alice.id.text + "a"))
    }

    @Test(
        "an idempotency key that is not 1 to 200 visible ASCII characters gets malformed-request",
        arguments: ["", "a b", "ä", "a\t", String(repeating: "k", count: 201)])
    func badKeys(key: String) throws {
        let caller = Caller(id: UUID(), username: "alice")
        let problem = #expect(throws: Problem.self) { try IdempotencyKey.messageID(key, of: caller) }
        #expect(problem?.code == .malformedRequest)
        _ = try IdempotencyKey.messageID(String(repeating: "~", count: 200), of: caller)
        _ = try IdempotencyKey.messageID("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}", of: caller)
    }

    @Test(
        "If-None-Match matches an entity tag by weak comparison, in a list, and with *",
        arguments: [
            "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\" , \"c\"", "*", " * ", "\"\", \"a\"", "\"x,y\", \"a\"",
            ",\"a\",,",
        ])
    func found(field: String) {
        #expect(EntityTags.contains("\"a\"", in: field))
        #expect(EntityTags.contains("W/\"a\"", in: field))
    }

    @Test(
        "If-None-Match with a different entity tag or a malformed list does not match",
        arguments: [
            "", "a", "\"A\"", "\"b\"", "w/\"a\"", "\"a", "a\"", "\"a\" \"b\"", "\"a\"x", "\"b\"; \"a\"", "**",
            "*, \"a\"",
            "\"a \"", "\"x,\"a\"",
        ])
    func notFound(field: String) {
        #expect(!EntityTags.contains("\"a\"", in: field))
    }

    @Test("a 304 response has the entity tag and Cache-Control, but no body")
    func notModified() {
        func response(_ reply: Reply, to type: MessageDescriptor = Messages.Post.get.descriptor) -> IngressResponse {
            .reply(reply, to: type, traceID: "")
        }
        let body = Array("{}".utf8)
        let tagged = response(.json(body, etag: "\"a\""))
        func answer(_ response: IngressResponse, _ fields: HTTPHeaders, isGzipped: Bool = false) -> IngressResponse {
            response.conditional(RequestFields(fields), isGzipped: isGzipped, traceID: "t")
        }
        let notModified = answer(tagged, ["If-None-Match": "W/\"a\""])
        #expect(notModified.status == 304 && notModified.body.isEmpty)
        #expect(notModified.fields[.eTag] == "\"a\"" && notModified.fields[.cacheControl] == "private, no-cache")
        #expect(notModified.fields[.contentType] == nil)
        #expect(answer(tagged, [:]).status == 200)
        #expect(answer(tagged, ["If-None-Match": "\"b\""]).status == 200)
        let untagged = response(.json(body))
        let known = answer(untagged, ["If-None-Match": " *"])
        #expect(known.status == 304 && known.body.isEmpty && known.fields[.eTag] == nil)
        #expect(answer(untagged, ["If-None-Match": "\"a\""]).status == 200)
        #expect(answer(untagged, ["If-Match": "\"a\"", "If-None-Match": "*"]).status == 412)
        let created = response(.json(body, status: 201, etag: "\"a\""), to: Messages.Post.create.descriptor)
        #expect(answer(created, ["If-None-Match": "*"]).status == 201)
        // The form of the body that the client has, whichever it would get now.
        for isGzipped in [false, true] {
            for known in ["\"a\"", "\"a-gzip\""] {
                let response = answer(tagged, ["If-None-Match": known], isGzipped: isGzipped)
                #expect(response.status == 304 && response.fields[.eTag] == known)
            }
        }
    }

    @Test("a GET with an If-Match that does not have the entity tag gets 412, and with a malformed one 400")
    func ifMatch() {
        let reply = Reply.json(Array("{}".utf8), etag: "\"a\"")
        let tagged = IngressResponse.reply(reply, to: Messages.Post.get.descriptor, traceID: "")
        for (field, status) in [
            ("\"a\"", 200), ("*", 200), ("\"b\", \"a\"", 200), ("\"a-gzip\"", 200), ("\"b\"", 412), ("W/\"a\"", 412),
            ("", 412), ("a", 400), ("*, \"a\"", 400),
        ] {
            let response = tagged.conditional(RequestFields(["If-Match": field]), traceID: "t")
            #expect(response.status == status, "\(field)")
        }
    }

    @Test("a GET with a tag in If-Match gets 412 if the response has no entity tag, and with * 200")
    func ifMatchWithoutTag() {
        let list = IngressResponse.reply(.json(Array("{}".utf8)), to: Messages.Post.list.descriptor, traceID: "")
        for (field, status) in [("\"a\"", 412), ("W/\"a\"", 412), ("*", 200), ("a", 400)] {
            let response = list.conditional(RequestFields(["If-Match": field]), traceID: "t")
            #expect(response.status == status, "\(field)")
        }
        #expect(list.conditional(RequestFields(["If-None-Match": "\"a\""]), traceID: "t").status == 200)
    }

    @Test("If-Match requires the listed strong entity tags, without the suffix of a compressed response")
    func requiredTags() throws {
        #expect(try EntityTags.required(by: " * ") == nil)
        #expect(try EntityTags.required(by: "\"a\", W/\"b\",\"\"") == ["\"a\"", "\"\""])
        #expect(try EntityTags.required(by: "\"a-gzip\"") == ["\"a-gzip\"", "\"a\""])
        #expect(try EntityTags.required(by: "W/\"a\"") == [])
        for field in ["a", "\"a", "\"a\" \"b\"", "**", "w/\"a\""] {
            #expect(throws: Problem.self) { try EntityTags.required(by: field) }
        }
    }

    @Test(
        "gzip is used if Accept-Encoding allows it and does not prefer identity",
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("GZIP", true), ("x-gzip", true), ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", true), ("deflate, br", false), ("*", true), ("gzip;q=0", false),
            ("gzip; q=0.0, *", false), ("*;q=0", false), ("identity, gzip;q=0.5", false),
            ("identity;q=0.5, gzip", true),
            ("gzip;q=x", false), ("gzip;q=2", false), ("gzip;q=nan", false), ("gzip;q=-1", false), ("gzipped", false),
            ("identity;q=0, *;q=0.1", true), ("gzip;q=\"", false), (",gzip,", true),
        ])
    func acceptEncoding(field: String?, isAllowed: Bool) {
        #expect(AcceptEncoding.allowsGzip(field) == isAllowed)
    }

    @Test("the names of fields are recognized in any case, and similar names are not")
    func names() {
        let known = [
            "Authorization", "Content-Type", "Content-Length", "Transfer-Encoding", "Host", "Origin", "X-Request-Id",
            "Traceparent", "Tracestate", "Idempotency-Key", "Prefer", "If-None-Match", "If-Match", "Accept-Encoding",
            "Content-Encoding", "X-Forwarded-For", "Forwarded",
        ]
        for change in [{ $0 }, { $0.lowercased() }, { $0.uppercased() }] as [(String) -> String] {
            let fields = RequestFields(HTTPHeaders(known.map { (change($0), "7") }))
            let values = [
                fields.authorization, fields.contentType, fields.contentLength.map(String.init),
                fields.transferEncoding, fields.host, fields.origin, fields.requestID, fields.traceparent,
                fields.tracestate, fields.idempotencyKey, fields.prefer, fields.ifNoneMatch, fields.ifMatch,
                fields.acceptEncoding, fields.contentEncoding, fields.forwardedFor, fields.forwarded,
            ]
            #expect(values == known.map { _ in "7" })
        }
        // The character before the last one differs in one bit.
        let similar = RequestFields(HTTPHeaders(known.map { ($0.dropLast(2) + "~" + $0.suffix(1), "7") }))
        #expect(similar.authorization == nil && similar.host == nil && similar.framingFieldCount == 0)
        #expect(similar.prefer == nil && similar.idempotencyKey == nil && similar.forwardedFor == nil)
        let flags = RequestFields(["EXPECT": "100-Continue", "upgrade": "h2c", "Access-Control-Request-METHOD": "GET"])
        #expect(flags.expectsContinue && flags.hasUpgrade && flags.hasAccessControlRequestMethod)
        #expect(!RequestFields(["Expect": "100-continue"], isHTTP10: true).expectsContinue)
    }
}
