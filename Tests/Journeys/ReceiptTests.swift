import AMQP
import Contracts
import Foundation
import LocalStack
import Logging
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Receipts", .timeLimit(.minutes(2))) struct Receipts {
        private let respondAsync = [(name: "Prefer", value: "respond-async")]

        /// Checks that a response is a 202 with the fields of the contract.
        ///
        /// - Parameter applied: whether `Prefer: respond-async` was sent.
        /// - Returns: the path of the receipt.
        private func expectAccepted(
            _ response: APIResponse, _ service: String, applied: Bool = true
        ) throws -> String {
            let body = try response.expect(202)
            let id = try body.text("id")
            #expect(body["status"]?.string == "accepted")
            #expect(response.header("Preference-Applied") == (applied ? "respond-async" : nil))
            let location = try #require(response.header("Location"))
            #expect(!id.isEmpty && location.hasPrefix("/v1/receipts/\(service)/"))
            return location
        }

        /// Waits until a command has been carried out, and returns the result from its receipt.
        @Loop private func completedResult(_ client: APIClient, _ location: String) async throws -> JSON {
            var receipt = JSON.null
            let isDone = try await eventually(within: .seconds(20)) {
                receipt = try await client.get(location).expect(200)
                return receipt["status"]?.string == "done"
            }
            #expect(isDone, "\(receipt)")
            return receipt["result"] ?? .null
        }

        @Test("a command sent with respond-async gets 202, and its receipt has the status and the body of the reply")
        @Loop func post() async throws {
            let author = try await APIClient.registered()
            let content = "later \(randomWord(12))"
            let location = try expectAccepted(try await author.createPost(content, headers: respondAsync), "post")
            let result = try await completedResult(author, location)
            #expect(result["status"]?.integer == 201)
            let id = try (result["body"] ?? .null).text("id")
            #expect(try await author.get("/v1/posts/\(id)").expect(200) == result["body"])
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])

            let path = "/v1/posts/\(id)"
            let deletion = try await author.send("DELETE", path, headers: respondAsync)
            let removed = try await completedResult(author, try expectAccepted(deletion, "post"))
            #expect(removed["status"]?.integer == 204 && removed["body"] == .null)
            try await author.get(path).expect(404)
            let repeated = try await author.send("DELETE", path, headers: respondAsync)
            let refused = try await completedResult(author, try expectAccepted(repeated, "post"))
            #expect(refused["status"]?.integer == 404)
            #expect(refused["body"]?["code"]?.string == "post-not-found")
        }

        @Test("an invalid command sent with respond-async gets 202, and its receipt has the problem")
        @Loop func invalid() async throws {
            let author = try await APIClient.registered()
            let result = try await completedResult(
                author, try expectAccepted(try await author.createPost(" ", headers: respondAsync), "post"))
            #expect(result["status"]?.integer == 422)
            #expect(result["body"]?["errors"]?.array?.first?["pointer"]?.string == "/content")
        }

        @Test("an upload sent with respond-async gets 202, and its receipt later has status 201 and the media's id")
        @Loop func media() async throws {
            let owner = try await APIClient.registered()
            let location = try expectAccepted(try await owner.upload(RandomPNG.make(), headers: respondAsync), "media")
            let result = try await completedResult(owner, location)
            #expect(result["status"]?.integer == 201)
            let id = try (result["body"] ?? .null).text("id")
            try await owner.get("/v1/media/\(id)").expect(200)
        }

        @Test("without a worker a command sent with respond-async gets 202 at once, and is done after a worker starts")
        @Loop func withoutWorker() async throws {
            let stack = try Stack()
            let author = try await APIClient.registered()
            try await stack.scale("post", 0)
            let start = ContinuousClock.now
            let first = try await author.createPost("without a worker", headers: respondAsync)
            #expect(ContinuousClock.now - start < .seconds(4), "the response must not wait for the deadline")
            async let waiting = author.createPost("without a worker, waiting")
            let locations = [
                try expectAccepted(first, "post"), try expectAccepted(try await waiting, "post", applied: false),
            ]
            try await author.get(locations[0]).expectProblem(504, "deadline-exceeded")
            try await stack.scale("post", 1)
            for location in locations { #expect(try await completedResult(author, location)["status"]?.integer == 201) }
            try await stack.scale("post", 0)
            try await stack.scale("post", 1)
            for location in locations { #expect(try await completedResult(author, location)["status"]?.integer == 201) }
        }

        @Test("a receipt can be read only by the caller of the command, under the address that the 202 has given")
        @Loop func others() async throws {
            let client = try APIClient()
            let (author, other) = try await (TestAccount.register(client), TestAccount.register(client))
            let accepted = try await client.signedIn(as: author).createPost("own", headers: respondAsync)
            let location = try expectAccepted(accepted, "post")
            _ = try await completedResult(client.signedIn(as: author), location)
            try await client.get(location).expectProblem(401, "unauthenticated")
            try await client.signedIn(as: other).get(location).expectProblem(404, "receipt-not-found")
            let token = try #require(location.split(separator: "/").last)
            let changed = (token.first == "A" ? "B" : "A") + token.dropFirst()
            for path in ["post/\(changed)", "post/\(UUID().uuidString.lowercased())", "post/x", "media/\(token)"] {
                let response = try await client.signedIn(as: author).get("/v1/receipts/\(path)")
                try response.expectProblem(404, "receipt-not-found")
            }
            try await client.signedIn(as: author).get("/v1/receipts/identity/\(token)").expectProblem(404, "not-found")
        }

        @Test("the receipt of a command that became a dead letter has the status failed")
        @Loop func failed() async throws {
            let person = try await TestAccount.register(APIClient())
            let (id, dead) = (UUID(), "post.commands.dead")
            // Other tests leave dead letters, too.
            let count = try await Stack().depth(of: dead)
            let address = try BrokerAddress(url: TestEnvironment.value("WARREN_OPERATOR_URL"))
            let publisher = Publisher(address: address, name: "journeys", log: .quiet)
            async let running: Void = publisher.run()
            let result = await outcome {
                try #require(await publisher.waitUntilAvailable(within: .seconds(10)))
                // To the worker, this looks like a command that was delivered 20 times and delayed in between.
                let headers: Headers = [
                    Header.origin: "ingress", Header.deliveries: 20, Header.subject: .string(person.id),
                    Header.subjectName: .string(person.username),
                ]
                let properties = Properties(
                    headers: headers, isPersistent: true, messageID: id.uuidString, type: "post.create",
                    userID: address.user)
                try await publisher.publishConfirmed(
                    OutgoingMessage(
                        exchange: Exchange.requeue, routingKey: "replay.post.commands", isMandatory: true,
                        properties: properties, body: Array(#"{"content":"poison"}"#.utf8)))
                try await IntegratorClient.run { integrator in
                    var receipt = JSON.null
                    let hasFailed = try await eventually(within: .seconds(20)) {
                        let reply = try await integrator.reply(
                            to: "post.receipt", ["id": .string(id.uuidString)], for: person)
                        receipt = try reply.json
                        return receipt["status"]?.string == "failed"
                    }
                    #expect(hasFailed, "\(receipt)")
                    #expect(receipt["result"]?["body"]?["code"]?.string == "command-failed")
                }
                let isDead = try await eventually(within: .seconds(20)) { try await Stack().depth(of: dead) > count }
                #expect(isDead)
            }
            await publisher.close()
            await running
            try result.get()
        }

        @Test("a command repeated with its Idempotency-Key gets 202 if respond-async is sent again, else its result")
        @Loop func withKey() async throws {
            let author = try await APIClient.registered()
            let content = "keyed \(randomWord(12))"
            let key = [(name: "Idempotency-Key", value: UUID().uuidString)]
            let location = try expectAccepted(try await author.createPost(content, headers: key + respondAsync), "post")
            let second = try expectAccepted(
                try await author.createPost(content, headers: key + respondAsync), "post")
            let result = try await completedResult(author, location)
            #expect(try await completedResult(author, second) == result)
            let repeated = try await author.createPost(content, headers: key).expect(201)
            #expect(repeated == result["body"])
            #expect(try await ServiceDatabase.contentCounts("post", "posts", startingWith: content) == [content: 1])
        }

        @Test("respond-async is ignored for queries and logins")
        @Loop func elsewhere() async throws {
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            let login = try await client.send("POST", "/v1/auth/login", json: person.credentials, headers: respondAsync)
            try login.expect(200)
            #expect(login.header("Preference-Applied") == nil)
            let list = try await client.signedIn(as: person).send("GET", "/v1/posts", headers: respondAsync)
            try list.expect(200)
            #expect(list.header("Preference-Applied") == nil)
        }
    }
}
