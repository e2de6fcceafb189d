import Contracts
import FoundationEssentials
import HTTPTypes
import Testing
import WorkerKit

@testable import Ingress

@Suite("Prefer, Idempotency-Key and If-None-Match")
struct RequestFieldTests {
    @Test(
        "respond-async is recognized among other preferences",
        arguments: [
            "respond-async", "Respond-Async", "respond-async, wait=10", "wait=10,respond-async", " respond-async ",
            "respond-async;x=1", "respond-async=\"\"", "a=\"b, c\", respond-async", "a=\"\\\"\",respond-async",
            ",, respond-async,",
        ])
    func async(field: String) {
        #expect(Preferences(field).respondAsync)
    }

    @Test(
        "a preference that only resembles respond-async is ignored",
        arguments: [
            nil, "", "respond-asynchronously", "respond-async=false", "return=respond-async", "a=\"b, respond-async\"",
            "a=\"respond-async", "respond-async=0, respond-async", "a;respond-async", "respond async",
        ])
    func notAsync(field: String?) {
        #expect(!Preferences(field).respondAsync)
    }

    @Test("several Prefer fields form one list")
    func joined() {
        var fields = HTTPFields()
        for value in ["wait=5", "respond-async"] {
            fields.append(HTTPField(name: .constant("Prefer"), value: value))
        }
        #expect(Preferences(RequestFields(fields).prefer).respondAsync)
    }

    @Test("an idempotency key and a caller yield one UUIDv5 message id; another key or caller yields another")
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
        "an idempotency key that is not 1 to 200 visible ASCII characters is refused",
        arguments: ["", "a b", "ä", "a\t", String(repeating: "k", count: 201)])
    func badKeys(key: String) throws {
        let caller = Caller(id: UUID(), username: "alice")
        let problem = #expect(throws: Problem.self) { try IdempotencyKey.messageID(key, of: caller) }
        #expect(problem?.code == .malformedRequest)
        _ = try IdempotencyKey.messageID(String(repeating: "~", count: 200), of: caller)
        _ = try IdempotencyKey.messageID("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}", of: caller)
    }

    @Test(
        "an entity tag matches by weak comparison, in a list, and with *",
        arguments: [
            "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\" , \"c\"", "*", " * ", "\"\", \"a\"", "\"x,y\", \"a\"",
            ",\"a\",,",
        ])
    func found(field: String) {
        #expect(EntityTags.contains("\"a\"", in: field))
        #expect(EntityTags.contains("W/\"a\"", in: field))
    }

    @Test(
        "a different entity tag or a malformed list does not match",
        arguments: [
            "", "a", "\"A\"", "\"b\"", "w/\"a\"", "\"a", "a\"", "\"a\" \"b\"", "\"a\"x", "\"b\"; \"a\"", "**",
            "*, \"a\"",
            "\"a \"", "\"x,\"a\"",
        ])
    func notFound(field: String) {
        #expect(!EntityTags.contains("\"a\"", in: field))
    }

    @Test("a 304 has the entity tag and Cache-Control, but no body")
    func notModified() {
        let response = IngressResponse.reply(.json(Array("{}".utf8), etag: "\"a\""))
        let notModified = response.notModified(ifNoneMatch: "W/\"a\"")
        #expect(notModified.status == 304 && notModified.body.isEmpty)
        #expect(notModified.fields[.eTag] == "\"a\"" && notModified.fields[.cacheControl] == "private, no-cache")
        #expect(notModified.fields[.contentType] == nil)
        #expect(response.notModified(ifNoneMatch: nil).status == 200)
        #expect(response.notModified(ifNoneMatch: "\"b\"").status == 200)
        #expect(IngressResponse.reply(.json(Array("{}".utf8))).notModified(ifNoneMatch: "*").status == 200)
        #expect(
            IngressResponse.reply(.json([], status: 201, etag: "\"a\"")).notModified(ifNoneMatch: "*").status == 201)
    }
}
