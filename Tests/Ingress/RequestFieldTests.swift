import Contracts
import FoundationEssentials
import HTTPTypes
import Testing
import WorkerKit

@testable import Ingress

@Suite("The fields that a client steers its answer with")
struct RequestFieldTests {
    @Test(
        "respond-async is heard, among whatever else is preferred",
        arguments: [
            "respond-async", "Respond-Async", "respond-async, wait=10", "wait=10,respond-async", " respond-async ",
            "respond-async;x=1", "respond-async=\"\"", "a=\"b, c\", respond-async", "a=\"\\\"\",respond-async",
            ",, respond-async,",
        ])
    func async(field: String) {
        #expect(Preferences(field).respondsAsync)
    }

    @Test(
        "and nothing that only looks like it",
        arguments: [
            nil, "", "respond-asynchronously", "respond-async=false", "return=respond-async", "a=\"b, respond-async\"",
            "a=\"respond-async", "respond-async=0, respond-async", "a;respond-async", "respond async",
        ])
    func notAsync(field: String?) {
        #expect(!Preferences(field).respondsAsync)
    }

    @Test("several Prefer fields are one list")
    func joined() {
        var fields = HTTPFields()
        for value in ["wait=5", "respond-async"] {
            fields.append(HTTPField(name: .constant("Prefer"), value: value))
        }
        #expect(Preferences(RequestFields(fields).prefer).respondsAsync)
    }

    @Test("a key and a caller make one message id, of version 5; another of either makes another one")
    func keys() throws {
        let (alice, bob) = (Caller(id: UUID(), username: "alice"), Caller(id: UUID(), username: "bob"))
        let id = try IdempotencyKey.messageID("a", of: alice)
        #expect(id.version == 5)
        #expect(try IdempotencyKey.messageID("a", of: Caller(id: alice.id, username: "renamed")) == id)
        #expect(try IdempotencyKey.messageID("b", of: alice) != id)
        #expect(try IdempotencyKey.messageID("A", of: alice) != id)
        #expect(try IdempotencyKey.messageID("a", of: bob) != id)
        let space = try #require(UUID(text: "a03393de-9bdd-433f-b1b4-a33eb1ca0168"))
        #expect(id == .v5(namespace: space, name: alice.id.text + "a"))
    }

    @Test(
        "a key is 1 to 200 visible characters", arguments: ["", "a b", "ä", "a\t", String(repeating: "k", count: 201)])
    func badKeys(key: String) throws {
        let caller = Caller(id: UUID(), username: "alice")
        let problem = #expect(throws: Problem.self) { try IdempotencyKey.messageID(key, of: caller) }
        #expect(problem?.code == .malformedRequest)
        _ = try IdempotencyKey.messageID(String(repeating: "~", count: 200), of: caller)
        _ = try IdempotencyKey.messageID("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}", of: caller)
    }

    @Test(
        "a tag is found by weak comparison, in a list, and by a star",
        arguments: [
            "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\" , \"c\"", "*", " * ", "\"\", \"a\"", "\"x,y\", \"a\"",
            ",\"a\",,",
        ])
    func found(field: String) {
        #expect(EntityTags.names(field, "\"a\""))
        #expect(EntityTags.names(field, "W/\"a\""))
    }

    @Test(
        "and no other, nor in what is no list of tags",
        arguments: [
            "", "a", "\"A\"", "\"b\"", "w/\"a\"", "\"a", "a\"", "\"a\" \"b\"", "\"a\"x", "\"b\"; \"a\"", "**",
            "*, \"a\"",
            "\"a \"", "\"x,\"a\"",
        ])
    func notFound(field: String) {
        #expect(!EntityTags.names(field, "\"a\""))
    }

    @Test("a 304 has the tag and how long it may be kept, and no body")
    func notModified() {
        let answer = Answer.reply(.json(Array("{}".utf8), etag: "\"a\""))
        let known = answer.unlessKnown("W/\"a\"")
        #expect(known.status == 304 && known.body.isEmpty)
        #expect(known.fields[.eTag] == "\"a\"" && known.fields[.cacheControl] == "private, no-cache")
        #expect(known.fields[.contentType] == nil)
        #expect(answer.unlessKnown(nil).status == 200)
        #expect(answer.unlessKnown("\"b\"").status == 200)
        #expect(Answer.reply(.json(Array("{}".utf8))).unlessKnown("*").status == 200)
        #expect(Answer.reply(.json([], status: 201, etag: "\"a\"")).unlessKnown("*").status == 201)
    }
}
