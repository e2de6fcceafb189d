import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Prefer: respond-async, and receipts", .timeLimit(.minutes(2))) struct Receipts {
        private let hasty = [(name: "Prefer", value: "respond-async")]

        /// Wants a 202 as the contract has it.
        ///
        /// - Returns: where its receipt is.
        private func expectAccepted(_ answer: Answer, _ service: String, applied: Bool = true) throws -> String {
            let body = try answer.expect(202)
            let id = try body.text("id")
            #expect(body["status"]?.string == "accepted")
            #expect(answer.header("Preference-Applied") == (applied ? "respond-async" : nil))
            let location = try #require(answer.header("Location"))
            #expect(location == "/v1/receipts/\(service)/\(id)")
            return location
        }

        /// Waits until a command is carried out.
        @Loop private func done(_ client: Client, _ location: String) async throws -> JSON {
            var receipt = JSON.null
            let isDone = try await eventually(within: .seconds(20)) {
                receipt = try await client.get(location).expect(200)
                return receipt["status"]?.string == "done"
            }
            #expect(isDone, "\(receipt)")
            #expect(receipt["id"]?.string == location.split(separator: "/").last.map(String.init))
            return receipt["result"] ?? .null
        }

        @Test("a command is accepted at once, and its receipt tells what became of it, with the body of the answer")
        @Loop func post() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let content = "later \(Fresh.word(12))"
            let location = try expectAccepted(try await author.write(content, headers: hasty), "post")
            let result = try await done(author, location)
            #expect(result["status"]?.integer == 201)
            let id = try (result["body"] ?? .null).text("id")
            #expect(try await author.get("/v1/posts/\(id)").expect(200) == result["body"])
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 1])

            let path = "/v1/posts/\(id)"
            let deletion = try await author.send("DELETE", path, headers: hasty)
            let removed = try await done(author, try expectAccepted(deletion, "post"))
            #expect(removed["status"]?.integer == 204 && removed["body"] == .null)
            try await author.get(path).expect(404)
            let nothing = try await author.send("DELETE", path, headers: hasty)
            let refused = try await done(author, try expectAccepted(nothing, "post"))
            #expect(refused["status"]?.integer == 404)
            #expect(refused["body"]?["code"]?.string == "post-not-found")
        }

        @Test("what cannot be carried out is accepted too, and its receipt has the problem")
        @Loop func invalid() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let result = try await done(
                author, try expectAccepted(try await author.write(" ", headers: hasty), "post"))
            #expect(result["status"]?.integer == 422)
            #expect(result["body"]?["errors"]?.array?.first?["pointer"]?.string == "/content")
        }

        @Test("while a picture is on its way its receipt says accepted, then done")
        @Loop func media() async throws {
            let client = try Client()
            let owner = client.by(try await Person.register(client))
            let location = try expectAccepted(try await owner.upload(Picture.png(), headers: hasty), "media")
            let result = try await done(owner, location)
            #expect(result["status"]?.integer == 201)
            let id = try (result["body"] ?? .null).text("id")
            try await owner.get("/v1/media/\(id)").expect(200)
        }

        @Test("without a worker a command is accepted at once all the same, and done when one is back")
        @Loop func withoutWorker() async throws {
            let stack = try Stack()
            let client = try Client()
            let author = client.by(try await Person.register(client))
            try await stack.scale("post", 0)
            let start = ContinuousClock.now
            let first = try await author.write("nobody there", headers: hasty)
            #expect(ContinuousClock.now - start < .seconds(4), "it does not wait for the deadline")
            async let patient = author.write("nobody there either")
            let locations = [
                try expectAccepted(first, "post"), try expectAccepted(try await patient, "post", applied: false),
            ]
            try await author.get(locations[0]).expectProblem(504, "deadline-exceeded")
            try await stack.scale("post", 1)
            for location in locations { #expect(try await done(author, location)["status"]?.integer == 201) }
            try await stack.scale("post", 0)
            try await stack.scale("post", 1)
            for location in locations { #expect(try await done(author, location)["status"]?.integer == 201) }
        }

        @Test("a receipt is only for the caller who sent the command; to others, and of nothing, it is accepted")
        @Loop func others() async throws {
            let client = try Client()
            let (author, other) = try await (Person.register(client), Person.register(client))
            let accepted = try await client.by(author).write("mine", headers: hasty)
            let location = try expectAccepted(accepted, "post")
            _ = try await done(client.by(author), location)
            for path in [location, "/v1/receipts/post/\(UUID().uuidString.lowercased())"] {
                let receipt = try await client.by(other).get(path).expect(200)
                #expect(receipt["status"]?.string == "accepted")
                #expect(receipt["result"] == nil)
            }
            try await client.get(location).expectProblem(401, "unauthenticated")
            try await client.by(author).get("/v1/receipts/post/nothing").expectProblem(422, "invalid")
            try await client.by(author).get("/v1/receipts/identity/\(UUID())").expectProblem(404, "not-found")
        }

        @Test("with a key it is accepted again, once carried out, and without the preference it gets the answer")
        @Loop func withKey() async throws {
            let client = try Client()
            let author = client.by(try await Person.register(client))
            let content = "keyed \(Fresh.word(12))"
            let key = [(name: "Idempotency-Key", value: UUID().uuidString)]
            let location = try expectAccepted(try await author.write(content, headers: key + hasty), "post")
            #expect(try expectAccepted(try await author.write(content, headers: key + hasty), "post") == location)
            let result = try await done(author, location)
            let answer = try await author.write(content, headers: key).expect(201)
            #expect(answer == result["body"])
            #expect(try await Database.contents("post", "posts", marked: content) == [content: 1])
        }

        @Test("on what is no command the preference is not applied")
        @Loop func elsewhere() async throws {
            let client = try Client()
            let person = try await Person.register(client)
            let login = try await client.send("POST", "/v1/auth/login", json: person.credentials, headers: hasty)
            try login.expect(200)
            #expect(login.header("Preference-Applied") == nil)
            let list = try await client.by(person).send("GET", "/v1/posts", headers: hasty)
            try list.expect(200)
            #expect(list.header("Preference-Applied") == nil)
        }
    }
}
