import Contracts
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("The whole journey") struct WholeJourney {
        /// One client's journey, with what it leaves behind.
        @Loop final class Traveller {
            let stack: Stack
            var client: Client
            let host: MediaHost
            let word = Fresh.word(16)

            init() throws {
                stack = try Stack()
                client = try Client()
                host = try MediaHost()
            }

            /// Wants a request to have gone through the ingress, one queue and one worker, by what they logged.
            func expectHop(_ answer: Answer, _ type: String, _ queue: String) async throws {
                let service = String(type.prefix { $0 != "." })
                let arrived = try await eventually(within: .seconds(5)) {
                    try stack.handled(service, answer.requestID).contains {
                        $0["type"]?.string == type && $0["queue"]?.string == queue
                            && $0["status"]?.integer == Int64(answer.status)
                    }
                }
                #expect(arrived, "\(type) \(answer.requestID) was not handled from \(queue)")
                // The ingress writes its line once the answer is on its way.
                let isLogged = try await eventually(within: .seconds(5)) {
                    try stack.log("ingress", about: answer.requestID).filter {
                        $0["message"]?.string == "request" && $0["type"]?.string == type
                    }.count == 1
                }
                #expect(isLogged)
            }

            /// How many posts the search finds for the journey's own word.
            func hits() async throws -> Int64? {
                try await client.search(word).expect(200)["totalPosts"]?.integer
            }
        }

        @Test(
            "a client registers, logs in, uploads, posts, lists, reads, searches, deletes, refreshes and logs out",
            .timeLimit(.minutes(1)))
        @Loop func journey() async throws {
            let traveller = try Traveller()
            let session = try await enter(traveller)
            let (post, media) = try await publish(traveller)
            try await read(traveller, post, media)
            try await remove(traveller, post, media)
            try await leave(traveller, refreshToken: session)
        }

        /// - Returns: the refresh token.
        @Loop private func enter(_ traveller: Traveller) async throws -> String {
            let (name, password) = ("hare-\(Fresh.word(12))", Fresh.word(20))
            let registered = try await traveller.client.post(
                "/v1/auth/register", Person.registration(name, password))
            let person = try Person(username: name, password: password, session: registered.expect(201))
            try await traveller.expectHop(registered, "identity.register", "identity.commands")

            let login = try await traveller.client.post("/v1/auth/login", person.credentials)
            let session = try login.expect(200)
            #expect(session["tokenType"]?.string == "Bearer")
            #expect(session["account"]?["username"]?.string == name)
            try await traveller.expectHop(login, "identity.login", "identity.commands")
            traveller.client.token = try session.text("accessToken")

            let me = try await traveller.client.get("/v1/accounts/me")
            #expect(try me.expect(200)["id"]?.string == person.id)
            try await traveller.expectHop(me, "identity.me", "identity.commands")
            return try session.text("refreshToken")
        }

        @Loop private func publish(_ traveller: Traveller) async throws -> (post: String, media: JSON) {
            let picture = Picture.png()
            let upload = try await traveller.client.upload(picture)
            let media = try upload.expect(201)
            #expect(upload.header("Location") == "/v1/media/\(try media.text("id"))")
            #expect(media["contentType"]?.string == "image/png")
            #expect(media["bytes"]?.integer == Int64(picture.count))
            #expect(media["width"]?.integer == 8)
            #expect(media["height"]?.integer == 8)
            try await traveller.expectHop(upload, "media.upload", "media.uploads")
            #expect(try await traveller.host.delivery(media.text("url")).bytes == picture)

            let posted = try await traveller.client.write("Dug a \(traveller.word) today", media: [media.text("id")])
            let post = try posted.expect(201).text("id")
            #expect(posted.header("Location") == "/v1/posts/\(post)")
            try await traveller.expectHop(posted, "post.create", "post.commands")
            return (post, media)
        }

        @Loop private func read(_ traveller: Traveller, _ post: String, _ media: JSON) async throws {
            let found = try await eventually(within: .seconds(1)) { try await traveller.hits() == 1 }
            #expect(found, "what was posted shows within a second")
            let search = try await traveller.client.search(traveller.word)
            #expect(try search.expect(200).ids("posts") == [post])
            try await traveller.expectHop(search, "search.posts", "search.queries")

            let list = try await traveller.client.get("/v1/posts?limit=100")
            #expect(try list.expect(200).ids("posts").contains(post))
            try await traveller.expectHop(list, "post.list", "post.queries")

            let url = try media.text("url")
            let isShown = try await eventually(within: .seconds(5)) {
                try await traveller.client.get("/v1/posts/\(post)").expect(200)["media"]?.array?.first?["url"]?.string
                    == url
            }
            #expect(isShown, "the post shows the picture's address")
            let read = try await traveller.client.get("/v1/posts/\(post)")
            #expect(try read.expect(200)["content"]?.string == "Dug a \(traveller.word) today")
            try await traveller.expectHop(read, "post.get", "post.queries")
        }

        @Loop private func remove(_ traveller: Traveller, _ post: String, _ media: JSON) async throws {
            let (id, url) = try (media.text("id"), media.text("url"))
            let deleted = try await traveller.client.delete("/v1/posts/\(post)")
            try deleted.expect(204)
            try await traveller.expectHop(deleted, "post.delete", "post.commands")
            try await traveller.client.get("/v1/posts/\(post)").expectProblem(404, "post-not-found")

            #expect(try await eventually(within: .seconds(1)) { try await traveller.hits() == 0 }, "gone from search")
            let isGone = try await eventually(within: .seconds(5)) {
                try await traveller.host.delivery(url).status == 404
            }
            #expect(isGone, "the picture is no longer delivered")
            #expect(try await !traveller.host.assets().contains(id))
            let isForgotten = try await eventually(within: .seconds(5)) {
                try await traveller.client.get("/v1/media/\(id)").status == 404
            }
            #expect(isForgotten, "the picture's record is gone")
        }

        @Loop private func leave(_ traveller: Traveller, refreshToken: String) async throws {
            let refresh = try await traveller.client.post(
                "/v1/auth/refresh", ["refreshToken": .string(refreshToken)])
            let next = try refresh.expect(200).text("refreshToken")
            #expect(next != refreshToken)
            try await traveller.expectHop(refresh, "identity.refresh", "identity.commands")

            let logout = try await traveller.client.post("/v1/auth/logout", ["refreshToken": .string(next)])
            try logout.expect(204)
            try await traveller.expectHop(logout, "identity.logout", "identity.commands")
            try await traveller.client.post("/v1/auth/refresh", ["refreshToken": .string(next)])
                .expectProblem(401, "invalid-refresh-token")
        }
    }
}
