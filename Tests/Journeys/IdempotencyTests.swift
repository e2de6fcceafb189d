import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Idempotency-Key", .timeLimit(.minutes(2))) struct Idempotency {
        private func field(_ key: String = UUID().uuidString) -> [(name: String, value: String)] {
            [(name: "Idempotency-Key", value: key)]
        }

        @Test("the same key from the same caller gets the same answer, its Location too, and no second effect")
        @Loop func same() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let (content, key) = ("once \(Fresh.word(12))", field())
            let first = try await author.write(content, headers: key)
            let post = try first.expect(201)
            #expect(first.header("Location") == "/v1/posts/\(try post.text("id"))")
            for _ in 0..<3 {
                let again = try await author.write(content, headers: key)
                try again.expect(201)
                #expect(again.bytes == first.bytes)
                #expect(again.header("Location") == first.header("Location"))
            }
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 1])
            try await author.write(content).expect(201)
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 2])
        }

        @Test("with another body it is 422, and what was done stands")
        @Loop func otherBody() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let (content, key) = ("first \(Fresh.word(12))", field())
            let post = try await author.write(content, headers: key).expect(201).text("id")
            for other in ["second", "\(content) "] {
                try await author.write(other, headers: key).expectProblem(422, "idempotency-key-reused")
            }
            let deletion = try await author.send("DELETE", "/v1/posts/\(post)", headers: key)
            try deletion.expectProblem(422, "idempotency-key-reused")
            try await author.get("/v1/posts/\(post)").expect(200)
            #expect(try await author.write(content, headers: key).expect(201).text("id") == post)
        }

        @Test("another caller's same key is that caller's own")
        @Loop func otherCaller() async throws {
            let client = try Client()
            let (alice, bob) = try await (Person.register(client), Person.register(client))
            let (content, key) = ("shared \(Fresh.word(12))", field())
            let first = try await client.by(alice).write(content, headers: key).expect(201)
            let second = try await client.by(bob).write(content, headers: key).expect(201)
            #expect(try first.text("id") != second.text("id"))
            #expect(second["author"]?["id"]?.string == bob.id)
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 2])
        }

        @Test("sixteen at the same time have one effect, and all of them its answer")
        @Loop func together() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let (content, key) = ("together \(Fresh.word(12))", field())
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<16 { group.addTask { try await author.write(content, headers: key) } }
                var answers: [Answer] = []
                for try await answer in group { answers.append(answer) }
                return answers
            }
            #expect(answers.allSatisfy { $0.status == 201 }, "\(answers.map(\.status))")
            #expect(Set(answers.map(\.text)).count == 1)
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 1])
        }

        @Test("a deletion sent again is as successful as before; without the key there is nothing left to delete")
        @Loop func deletion() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let post = try await author.write("short-lived").expect(201).text("id")
            let media = try await author.upload(Picture.png()).expect(201).text("id")
            for path in ["/v1/posts/\(post)", "/v1/media/\(media)"] {
                let key = field()
                try await author.send("DELETE", path, headers: key).expect(204)
                try await author.send("DELETE", path, headers: key).expect(204)
                try await author.delete(path).expect(404)
            }
        }

        @Test("what was refused is refused again with the same key, and alike")
        @Loop func refused() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let key = field()
            let first = try await author.write("", headers: key)
            try first.expectProblem(422, "invalid")
            let second = try await author.write("", headers: key)
            try second.expectProblem(422, "invalid")
            try await author.write("not blank", headers: key).expectProblem(422, "idempotency-key-reused")
        }

        @Test("a picture uploaded twice with one key is there once; another one with it is refused")
        @Loop func upload() async throws {
            let client = try Client()
            let owner = client.by(try await Person.register(client))
            let (picture, key) = (Picture.png(), field())
            let first = try await owner.upload(picture, headers: key)
            let media = try first.expect(201).text("id")
            let again = try await owner.upload(picture, headers: key)
            #expect(try again.expect(201).text("id") == media)
            #expect(again.header("Location") == first.header("Location"))
            #expect(try await owner.get("/v1/media").expect(200).ids("media") == [media])
            try await owner.upload(picture + [0], headers: key).expectProblem(422, "idempotency-key-reused")
        }

        @Test(
            "after a 202 the same key gets the answer, and what was accepted happens once; so it does after a restart")
        @Loop func afterAccepted() async throws {
            let stack = try Stack()
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let (content, key) = ("accepted \(Fresh.word(12))", field())
            try await stack.scale("post", 0)
            async let other = author.write(content, headers: key)
            let accepted = try await author.write(content, headers: key)
            let receipt = try accepted.expect(202).text("id")
            #expect(try await other.expect(202).text("id") == receipt)
            try await stack.scale("post", 1)
            let answer = try await author.write(content, headers: key)
            let post = try answer.expect(201).text("id")
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 1])
            let result = try await author.get(try #require(accepted.header("Location"))).expect(200)
            #expect(result["result"]?["body"]?["id"]?.string == post)

            try await stack.scale("post", 0)
            try await stack.scale("ingress", 0)
            try await stack.scale("post", 1)
            try await stack.scale("ingress", 1)
            #expect(try await author.write(content, headers: key).expect(201).text("id") == post)
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 1])
        }

        @Test("a key of other than 1 to 200 visible characters is refused, and so are two of them")
        @Loop func malformed() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let long = String(repeating: "k", count: 200)
            try await author.write("x", headers: field(long)).expect(201)
            try await author.write("x", headers: field("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~")).expect(201)
            for bad in [long + "k", "a b", "schlüssel", "a\tb"] {
                let problem = try await author.write("x", headers: field(bad)).expectProblem(400, "malformed-request")
                #expect(problem["detail"]?.string?.contains("Idempotency-Key") == true)
            }
            try await author.write("x", headers: field("a") + field("a")).expectProblem(400, "malformed-request")
        }

        @Test("on what is no command a key means nothing")
        @Loop func elsewhere() async throws {
            let client = try Client()
            let person = try await Person.register(client)
            let author = client.by(person)
            let key = field()
            try await author.write("something to list").expect(201)
            let before = try await author.send("GET", "/v1/posts?limit=1", headers: key).expect(200).ids("posts")
            try await author.write("something else").expect(201)
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
