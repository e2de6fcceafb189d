import Contracts
import FoundationEssentials
import TestData
import TestSupport
import Testing

@Suite("Messages")
struct MessageTests {
    static let id = "0190a0b0-1234-7abc-8def-0123456789ab"
    static let elevenIDs = (10...20).map { "\"\(id.dropLast(2))\($0)\"" }.joined(separator: ",")

    @Test("the examples of a message type are accepted by its decoders", arguments: Messages.descriptors.map(\.name))
    func examples(name: String) throws {
        let message = try #require(Messages.types.first { $0.descriptor.name == name })
        try Self.checkExamples(of: message)
    }

    private static func checkExamples<Message: AnyMessageType>(of message: Message) throws {
        let descriptor = message.descriptor
        if descriptor.request != nil {
            let example = try #require(descriptor.requestExample, "\(descriptor.name) has no example of its body")
            _ = try message.request.decode(example.serialized())
        }
        if let schema = message.reply.schema {
            let example = try #require(descriptor.replyExample, "\(descriptor.name) has no example of its reply")
            _ = try schema.decode(example)
        }
    }

    @Test("the summary of a message type is one line that ends with a full stop", arguments: Messages.descriptors)
    func summary(message: MessageDescriptor) {
        #expect(message.summary.hasSuffix(".") && !message.summary.contains("\n"), "\(message.name)")
    }

    /// A body of a message type, and the pointers of its faults. The Swift types of the message type are erased.
    struct Sample: Sendable, CustomTestStringConvertible {
        let name: String
        let body: String
        let pointers: [String]
        let decode: @Sendable ([UInt8]) throws(Problem) -> Void

        init<Request, Reply>(_ type: MessageType<Request, Reply>, _ body: String, _ pointers: String...) {
            name = type.name
            self.body = body
            self.pointers = pointers
            decode = { (body) throws(Problem) in _ = try type.request.decode(body) }
        }

        var testDescription: String { "\(name) \(body.prefix(100))" }
    }

    @Test(
        "a valid request is decoded",
        arguments: [
            Sample(
                Messages.Identity.register,
                #"{"username":"A.b_c-9","email":"a.b+c@x-1.example.org","password":"8 chars!"}"#),
            Sample(
                Messages.Identity.register,
                #"{"username":"abc","email":"a@b.c","password":"\#(String(repeating: "😀", count: 128))"}"#),
            Sample(Messages.Identity.login, #"{"email":"anything","password":"x"}"#),
            Sample(Messages.Identity.refresh, #"{"refreshToken":"abc"}"#),
            Sample(Messages.Identity.logout, #"{"refreshToken":"abc"}"#),
            Sample(Messages.Identity.logoutAll, "{}"), Sample(Messages.Identity.logoutAll, ""),
            Sample(Messages.Identity.changePassword, #"{"currentPassword":"x","newPassword":"8 chars!"}"#),
            Sample(Messages.Identity.me, "{}"), Sample(Messages.Identity.me, ""),
            Sample(Messages.Post.create, #"{"content":"x"}"#),
            Sample(Messages.Post.create, #"{"content":" x ","mediaIds":[]}"#),
            Sample(
                Messages.Post.create, #"{"content":"\#(String(repeating: "é", count: 5000))","mediaIds":["\#(id)"]}"#),
            Sample(Messages.Post.delete, #"{"id":"\#(id)"}"#),
            Sample(Messages.Post.get, #"{"id":"\#(id.uppercased())"}"#),
            Sample(Messages.Post.list, "{}"), Sample(Messages.Post.list, #"{"limit":100,"page":1}"#),
            Sample(Messages.Post.list, #"{"cursor":"aGVsbG8_-w"}"#), Sample(Messages.Post.receipt, #"{"id":"\#(id)"}"#),
            Sample(Messages.Media.upload, "any bytes at all"), Sample(Messages.Media.delete, #"{"id":"\#(id)"}"#),
            Sample(Messages.Media.get, #"{"id":"\#(id)"}"#), Sample(Messages.Media.list, #"{"limit":1}"#),
            Sample(Messages.Media.update, #"{"id":"\#(id)","description":"x"}"#),
            Sample(Messages.Media.update, #"{"id":"\#(id)","description":null,"ifMatch":null}"#),
            Sample(Messages.Media.update, #"{"id":"\#(id)","description":"x","ifMatch":["\"a\""]}"#),
            Sample(Messages.Media.receipt, #"{"id":"\#(id)"}"#),
            Sample(Messages.Search.posts, #"{"query":"rabbits or hares"}"#),
            Sample(Messages.Search.posts, #"{"query":"\#(String(repeating: "q", count: 200))","limit":100,"page":2}"#),
        ])
    func valid(sample: Sample) throws {
        try sample.decode(Array(sample.body.utf8))
    }

    @Test(
        "an invalid request is refused with the code invalid and the pointers of all faults",
        arguments: [
            Sample(Messages.Identity.register, "{}", "/email", "/password", "/username"),
            Sample(
                Messages.Identity.register, #"{"username":"a b","email":"x","password":"short","admin":true}"#,
                "/admin", "/email",
                "/password", "/username"),
            Sample(
                Messages.Identity.register, #"{"username":"ab","email":"a@b.c","password":"8 chars!"}"#, "/username"),
            Sample(
                Messages.Identity.register, #"{"username":"abé","email":"a@b.c","password":"8 chars!"}"#, "/username"),
            Sample(
                Messages.Identity.register,
                #"{"username":"\#(String(repeating: "a", count: 51))","email":"a@b.c","password":"8 chars!"}"#,
                "/username"),
            Sample(
                Messages.Identity.register, #"{"username":"Somebody","email":"a@b.c","password":"someBODY"}"#,
                "/password"),
            Sample(
                Messages.Identity.register, #"{"username":"abc","email":"a@example.org","password":"A@example.ORG"}"#,
                "/password"),
            Sample(
                Messages.Identity.register,
                #"{"username":"abc","email":"a@b.c","password":"\#(String(repeating: "p", count: 129))"}"#,
                "/password"),
            Sample(Messages.Identity.login, #"{"email":"","password":1}"#, "/email", "/password"),
            Sample(Messages.Identity.refresh, #"{"refresh_token":"x"}"#, "/refreshToken", "/refresh_token"),
            Sample(Messages.Identity.logoutAll, #"{"all":true}"#, "/all"),
            Sample(
                Messages.Identity.changePassword, #"{"currentPassword":"","newPassword":"1234567"}"#,
                "/currentPassword", "/newPassword"),
            Sample(
                Messages.Post.create, #"{"content":" \n ","mediaIds":["x",1]}"#, "/content", "/mediaIds/0",
                "/mediaIds/1"),
            Sample(
                Messages.Post.create, #"{"content":"\#(String(repeating: "a", count: 5001))","authorId":"x"}"#,
                "/authorId", "/content"),
            Sample(Messages.Post.create, #"{"content":"x","mediaIds":["\#(id)","\#(id)"]}"#, "/mediaIds/1"),
            Sample(
                Messages.Post.create, #"{"content":"x","mediaIds":[\#(elevenIDs)]}"#, "/mediaIds"),
            Sample(Messages.Post.get, #"{"id":"1"}"#, "/id"), Sample(Messages.Post.delete, "[]", ""),
            Sample(Messages.Post.list, #"{"limit":0,"page":0}"#, "/limit", "/page"),
            Sample(Messages.Post.list, #"{"limit":"ten","page":1000001,"sort":"asc"}"#, "/limit", "/page", "/sort"),
            Sample(Messages.Post.list, #"{"page":1,"cursor":"abc"}"#, "/cursor"),
            Sample(Messages.Media.list, #"{"cursor":"a b"}"#, "/cursor"),
            Sample(Messages.Search.posts, #"{"limit":101}"#, "/limit", "/query"),
            Sample(Messages.Search.posts, #"{"query":" "}"#, "/query"),
            Sample(Messages.Search.posts, #"{"query":"\#(String(repeating: "q", count: 201))"}"#, "/query"),
        ])
    func invalid(sample: Sample) {
        let problem = #expect(throws: Problem.self) { try sample.decode(Array(sample.body.utf8)) }
        #expect(problem?.code == .invalid)
        #expect(problem?.faults.map(\.pointer).sorted() == sample.pointers)
    }

    @Test(
        "a registration with an invalid email address is refused with a Problem",
        arguments: [
            "x", "@b.c", "a@", "a@b", "a@@b.c", "a b@c.d", "a@b..c", "a@-b.c", "a@b-.c", ".a@b.c", "a.@b.c", "a..b@c.d",
            "a@b.c\u{301}", "é@b.c", "a@é.c", "\u{A0}\u{200B} ", "éa@b.c", "\"a\"@b.c",
            "a@[127.0.0.1]", String(repeating: "a", count: 65) + "@b.c",
            "a@" + String(repeating: "b", count: 64) + ".c", "a@" + String(repeating: "b.", count: 130) + "c",
        ])
    func email(text: String) {
        #expect(throws: Problem.self) {
            let body = JSON.object(
                JSONObject([
                    .init(name: "username", value: "abc"), .init(name: "email", value: .string(text)),
                    .init(name: "password", value: "8 chars!"),
                ]))
            return try Messages.Identity.register.request.decode(body.serialized())
        }
    }

    @Test(
        "white space, control characters and invisible characters around the email of a registration are removed",
        arguments: [
            "a@b.c ", " a@b.c", "\ta@b.c\r\n", "\u{A0}a@b.c\u{3000}", "\u{FEFF}a@b.c\u{200B}", "\u{1}a@b.c\u{85}",
            "\u{202A}a@b.c\u{202C}", "a@b.c\u{FE0F}", "\u{3164}a@b.c\u{E0020}", "a@b.c",
        ])
    func trimmedEmail(text: String) throws {
        let body: JSON = ["username": "abc", "email": .string(text), "password": "8 chars!"]
        #expect(try Messages.Identity.register.request.decode(body.serialized()).email == "a@b.c")
    }

    /// Returns the first fault of a registration with an email address; `nil` if there is none.
    private func fault(_ email: String) -> String? {
        do throws(Problem) {
            let body: JSON = ["username": "abc", "email": .string(email), "password": "8 chars!"]
            _ = try Messages.Identity.register.request.decode(body.serialized())
            return nil
        } catch {
            return error.faults.first?.message
        }
    }

    @Test("an email address has at most 254 characters, without the blanks around it")
    func longestEmail() throws {
        let domain = Array(repeating: String(repeating: "b", count: 49), count: 5).joined(separator: ".")
        let longest = "abcd@" + domain
        #expect(longest.utf8.count == 254)
        for email in [longest, longest + " ", "\u{A0}\t" + longest + "\u{200B}\r\n"] {
            #expect(fault(email) == nil)
            let login: JSON = ["email": .string(email), "password": "x"]
            #expect(try Messages.Identity.login.request.decode(login.serialized()).email == email)
        }
        #expect(fault("a" + longest) == "must have at most 254 characters")
        #expect(fault("a" + longest + " ") == "must have at most 254 characters")
    }

    @Test("the password of a registration must not be the email without the blanks around it")
    func passwordIsTrimmedEmail() {
        let body: JSON = ["username": "abc", "email": " a@example.org ", "password": "a@example.org"]
        let problem = #expect(throws: Problem.self) {
            try Messages.Identity.register.request.decode(body.serialized())
        }
        #expect(problem?.faults.map(\.pointer) == ["/password"])
    }

    @Test("the fault of an internationalized email address says that the address must be ASCII")
    func internationalizedEmail() throws {
        for email in ["ü@münchen.de", "ada@münchen.de", "ü@example.org", "ada＠example.org"] {
            #expect(fault(email)?.hasPrefix("must be ASCII") == true, "\(email)")
        }
        #expect(fault("ada@xn--mnchen-3ya.de") == nil)
        #expect(fault("ada at example.org") == "must be an email address")
    }

    @Test("a malformed body is refused with malformed-json, and a body that is too large with body-too-large")
    func unreadable() {
        for body in ["", "{", "{\"content\":\"\u{1}\"}", #"{"content":"a","content":"b"}"#] {
            let problem = #expect(throws: Problem.self) { try Messages.Post.create.request.decode(Array(body.utf8)) }
            #expect(problem?.code == .malformedJSON)
        }
        let large = Array(repeating: UInt8(ascii: " "), count: 64 * 1024 + 1)
        #expect(throws: Problem(.bodyTooLarge, detail: "At byte 65536: the document is too large.")) {
            try Messages.Post.create.request.decode(large)
        }
        #expect(throws: Problem(.bodyTooLarge)) {
            try Messages.Media.upload.request.decode(Array(repeating: 0, count: Messages.Media.uploadLimit + 1))
        }
    }

    @Test("a request that was encoded is decoded to the same value")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 3)
        let create = CreatePost(content: "a \"b\" é", mediaIds: [.random(using: &random), .random(using: &random)])
        #expect(try Messages.Post.create.request.decode(create.jsonBytes()) == create)
        let list = ListRequest(limit: 7, cursor: "abc")
        #expect(try Messages.Post.list.request.decode(list.jsonBytes()) == list)
        #expect(
            try Messages.Post.list.request.decode(Array("{}".utf8)) == ListRequest(limit: 10, page: nil, cursor: nil))
        #expect(try Messages.Search.posts.request.decode(Array(#"{"query":"a"}"#.utf8)) == SearchPosts(query: "a"))
    }
}
