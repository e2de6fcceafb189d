import Contracts
import Foundation
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Idempotency keys", .timeLimit(.minutes(2))) struct Idempotency {
        private func field(_ key: String = UUID().uuidString) -> [(name: String, value: String)] {
            [(name: "Idempotency-Key", value: key)]
        }

        @Test("a command repeated with its Idempotency-Key gets the same response and has no second effect")
        @Loop func same() async throws {
            let author = try await APIClient.registered()
            let (content, key) = ("once \(randomWord(12))", field())
            let first = try await author.createPost(content, headers: key)
            let post = try first.expect(201)
            #expect(first.header("Location") == "/v1/posts/\(try post.text("id"))")
            for _ in 0..<3 {
                let again = try await author.createPost(content, headers: key)
                try again.expect(201)
                #expect(again.bytes == first.bytes)
                #expect(again.header("Location") == first.header("Location"))
            }
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])
            try await author.createPost(content).expect(201)
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 2])
        }

        @Test("an Idempotency-Key used with another body or method gets 422, and the first effect remains")
        @Loop func otherBody() async throws {
            let author = try await APIClient.registered()
            let (content, key) = ("first \(randomWord(12))", field())
            let post = try await author.createPost(content, headers: key).expect(201).text("id")
            for other in ["second", "\(content) "] {
                try await author.createPost(other, headers: key).expectProblem(422, "idempotency-key-reused")
            }
            let deletion = try await author.send("DELETE", "/v1/posts/\(post)", headers: key)
            try deletion.expectProblem(422, "idempotency-key-reused")
            try await author.get("/v1/posts/\(post)").expect(200)
            #expect(try await author.createPost(content, headers: key).expect(201).text("id") == post)
        }

        @Test("two callers can use the same Idempotency-Key independently")
        @Loop func otherCaller() async throws {
            let client = try APIClient()
            let (alice, bob) = try await (TestAccount.register(client), TestAccount.register(client))
            let (content, key) = ("shared \(randomWord(12))", field())
            let first = try await client.signedIn(as: alice).createPost(content, headers: key).expect(201)
            let second = try await client.signedIn(as: bob).createPost(content, headers: key).expect(201)
            #expect(try first.text("id") != second.text("id"))
            #expect(second["author"]?["id"]?.string == bob.id)
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 2])
        }

        @Test("sixteen concurrent commands with one Idempotency-Key have one effect and get the same response")
        @Loop func together() async throws {
            let author = try await APIClient.registered()
            let (content, key) = ("together \(randomWord(12))", field())
            let responses = try await withThrowingTaskGroup(of: APIResponse.self) { group in
                for _ in 0..<16 { group.addTask { try await author.createPost(content, headers: key) } }
                var responses: [APIResponse] = []
                for try await response in group { responses.append(response) }
                return responses
            }
            #expect(responses.allSatisfy { $0.status == 201 }, "\(responses.map(\.status))")
            #expect(Set(responses.map(\.text)).count == 1)
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])
        }

        @Test("a deletion repeated with its Idempotency-Key gets 204 again, and without the key 404")
        @Loop func deletion() async throws {
            let author = try await APIClient.registered()
            let post = try await author.createPost("short-lived").expect(201).text("id")
            let media = try await author.upload(RandomPNG.make()).expect(201).text("id")
            for path in ["/v1/posts/\(post)", "/v1/media/\(media)"] {
                let key = field()
                try await author.send("DELETE", path, headers: key).expect(204)
                try await author.send("DELETE", path, headers: key).expect(204)
                try await author.delete(path).expect(404)
            }
        }

        @Test("an invalid command repeated with its Idempotency-Key gets the same 422; another body is refused too")
        @Loop func refused() async throws {
            let author = try await APIClient.registered()
            let key = field()
            let first = try await author.createPost("", headers: key)
            try first.expectProblem(422, "invalid")
            let second = try await author.createPost("", headers: key)
            try second.expectProblem(422, "invalid")
            try await author.createPost("not blank", headers: key).expectProblem(422, "idempotency-key-reused")
        }

        @Test(
            "a picture uploaded twice with one Idempotency-Key is stored once; another picture gets 422"
        )
        @Loop func upload() async throws {
            let owner = try await APIClient.registered()
            let (picture, key) = (RandomPNG.make(), field())
            let first = try await owner.upload(picture, headers: key)
            let media = try first.expect(201).text("id")
            let again = try await owner.upload(picture, headers: key)
            #expect(try again.expect(201).text("id") == media)
            #expect(again.header("Location") == first.header("Location"))
            #expect(try await owner.get("/v1/media").expect(200).ids("media") == [media])
            try await owner.upload(picture + [0], headers: key).expectProblem(422, "idempotency-key-reused")
        }

        @Test(
            "a command that got 202 is carried out once; repeated with its Idempotency-Key, it gets 201 with the result"
        )
        @Loop func afterAccepted() async throws {
            let stack = try Stack()
            let author = try await APIClient.registered()
            let (content, key) = ("accepted \(randomWord(12))", field())
            try await stack.scale("post", 0)
            async let concurrent = author.createPost(content, headers: key)
            let accepted = try await author.createPost(content, headers: key)
            let receipt = try accepted.expect(202).text("id")
            #expect(try await concurrent.expect(202).text("id") == receipt)
            try await stack.scale("post", 1)
            let response = try await author.createPost(content, headers: key)
            let post = try response.expect(201).text("id")
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])
            let result = try await author.get(try #require(accepted.header("Location"))).expect(200)
            #expect(result["result"]?["body"]?["id"]?.string == post)

            try await stack.scale("post", 0)
            try await stack.scale("ingress", 0)
            try await stack.scale("post", 1)
            try await stack.scale("ingress", 1)
            #expect(try await author.createPost(content, headers: key).expect(201).text("id") == post)
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])
        }

        @Test("an Idempotency-Key over 200 characters, with invisible or non-ASCII characters, or given twice gets 400")
        @Loop func malformed() async throws {
            let author = try await APIClient.registered()
            let long = String(repeating: "k", count: 200)
            try await author.createPost("x", headers: field(long)).expect(201)
            try await author.createPost("x", headers: field("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~")).expect(201)
            for bad in [long + "k", "a b", "schlüssel", "a\tb"] {
                let problem = try await author.createPost("x", headers: field(bad)).expectProblem(
                    400, "malformed-request")
                #expect(problem["detail"]?.string?.contains("Idempotency-Key") == true)
            }
            try await author.createPost("x", headers: field("a") + field("a")).expectProblem(400, "malformed-request")
        }

        @Test("a query or a login repeated with an Idempotency-Key is carried out again")
        @Loop func elsewhere() async throws {
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            let author = client.signedIn(as: person)
            let key = field()
            try await author.createPost("something to list").expect(201)
            let before = try await author.send("GET", "/v1/posts?limit=1", headers: key).expect(200).ids("posts")
            try await author.createPost("something else").expect(201)
            let after = try await author.send("GET", "/v1/posts?limit=1", headers: key).expect(200).ids("posts")
            #expect(before != after)
            var logins: [String] = []
            for _ in 0..<2 {
                let login = try await client.send("POST", "/v1/auth/login", json: person.credentials, headers: key)
                logins.append(try login.expect(200).text("refreshToken"))
            }
            #expect(Set(logins).count == 2)
        }
    }
}
