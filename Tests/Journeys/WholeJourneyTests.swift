import Contracts
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Whole journey") struct WholeJourney {
        /// The clients that the steps of the journey share, and a random word that only the journey's post contains.
        @Loop final class JourneyFixture {
            let stack: Stack
            var client: APIClient
            let host: MediaHostClient
            let word = randomWord(16)

            init() throws {
                stack = try Stack()
                client = try APIClient()
                host = try MediaHostClient()
            }

            /// Checks in the logs that a request went through the ingress and one queue to one worker.
            func expectRoute(_ response: APIResponse, _ type: String, _ queue: String) async throws {
                let service = String(type.prefix { $0 != "." })
                let isHandled = try await eventually(within: .seconds(5)) {
                    try stack.handledLines(of: service, response.requestID).contains {
                        $0["type"]?.string == type && $0["queue"]?.string == queue
                            && $0["status"]?.integer == Int64(response.status)
                    }
                }
                #expect(isHandled, "no worker handled \(type) \(response.requestID) from the queue \(queue)")
                // The ingress logs a request after it has sent the response.
                let isLogged = try await eventually(within: .seconds(5)) {
                    try stack.logLines(of: "ingress", containing: response.requestID).filter {
                        $0["message"]?.string == "request" && $0["type"]?.string == type
                    }.count == 1
                }
                #expect(isLogged)
            }

            /// Returns the number of posts that a search for the word finds.
            func hitCount() async throws -> Int64? {
                try await client.search(word).expect(200)["totalPosts"]?.integer
            }
        }

        @Test(
            "a client registers, logs in, uploads, posts, lists, reads, searches, deletes, refreshes and logs out",
            .timeLimit(.minutes(1)))
        @Loop func journey() async throws {
            let fixture = try JourneyFixture()
            let session = try await signIn(fixture)
            let (post, media) = try await publish(fixture)
            try await read(fixture, post, media)
            try await remove(fixture, post, media)
            try await signOut(fixture, refreshToken: session)
        }

        /// Registers and logs in; returns the refresh token.
        @Loop private func signIn(_ fixture: JourneyFixture) async throws -> String {
            let (name, password) = ("hare-\(randomWord(12))", randomWord(20))
            let registered = try await fixture.client.post(
                "/v1/auth/register", TestAccount.registration(name, password))
            let person = try TestAccount(username: name, password: password, session: registered.expect(201))
            try await fixture.expectRoute(registered, "identity.register", "identity.commands")

            let login = try await fixture.client.post("/v1/auth/login", person.credentials)
            let session = try login.expect(200)
            #expect(session["tokenType"]?.string == "Bearer")
            #expect(session["account"]?["username"]?.string == name)
            try await fixture.expectRoute(login, "identity.login", "identity.commands")
            fixture.client.token = try session.text("accessToken")

            let me = try await fixture.client.get("/v1/accounts/me")
            #expect(try me.expect(200)["id"]?.string == person.id)
            try await fixture.expectRoute(me, "identity.me", "identity.commands")
            return try session.text("refreshToken")
        }

        @Loop private func publish(_ fixture: JourneyFixture) async throws -> (post: String, media: JSON) {
            let picture = RandomPNG.make()
            let upload = try await fixture.client.upload(picture)
            let media = try upload.expect(201)
            #expect(upload.header("Location") == "/v1/media/\(try media.text("id"))")
            #expect(media["contentType"]?.string == "image/png")
            #expect(media["bytes"]?.integer == Int64(picture.count))
            #expect(media["width"]?.integer == 8)
            #expect(media["height"]?.integer == 8)
            try await fixture.expectRoute(upload, "media.upload", "media.uploads")
            #expect(try await fixture.host.delivery(media.text("url")).bytes == picture)

            let posted = try await fixture.client.createPost("dug a \(fixture.word) today", media: [media.text("id")])
            let post = try posted.expect(201).text("id")
            #expect(posted.header("Location") == "/v1/posts/\(post)")
            try await fixture.expectRoute(posted, "post.create", "post.commands")
            return (post, media)
        }

        @Loop private func read(_ fixture: JourneyFixture, _ post: String, _ media: JSON) async throws {
            let found = try await eventually(within: .seconds(1)) { try await fixture.hitCount() == 1 }
            #expect(found, "the post is not found within a second")
            let search = try await fixture.client.search(fixture.word)
            #expect(try search.expect(200).ids("posts") == [post])
            try await fixture.expectRoute(search, "search.posts", "search.queries")

            let list = try await fixture.client.get("/v1/posts?limit=100")
            #expect(try list.expect(200).ids("posts").contains(post))
            try await fixture.expectRoute(list, "post.list", "post.queries")

            let url = try media.text("url")
            let isShown = try await eventually(within: .seconds(5)) {
                try await fixture.client.get("/v1/posts/\(post)").expect(200)["media"]?.array?.first?["url"]?.string
                    == url
            }
            #expect(isShown, "the post does not have the picture's URL")
            let read = try await fixture.client.get("/v1/posts/\(post)")
            #expect(try read.expect(200)["content"]?.string == "dug a \(fixture.word) today")
            try await fixture.expectRoute(read, "post.get", "post.queries")
        }

        @Loop private func remove(_ fixture: JourneyFixture, _ post: String, _ media: JSON) async throws {
            let (id, url) = try (media.text("id"), media.text("url"))
            let deleted = try await fixture.client.delete("/v1/posts/\(post)")
            try deleted.expect(204)
            try await fixture.expectRoute(deleted, "post.delete", "post.commands")
            try await fixture.client.get("/v1/posts/\(post)").expectProblem(404, "post-not-found")

            #expect(
                try await eventually(within: .seconds(1)) { try await fixture.hitCount() == 0 },
                "the deleted post is still found")
            let isGone = try await eventually(within: .seconds(5)) {
                try await fixture.host.delivery(url).status == 404
            }
            #expect(isGone, "the picture is still delivered")
            #expect(try await !fixture.host.assets().contains(id))
            let isDeleted = try await eventually(within: .seconds(5)) {
                try await fixture.client.get("/v1/media/\(id)").status == 404
            }
            #expect(isDeleted, "the media still exists")
        }

        @Loop private func signOut(_ fixture: JourneyFixture, refreshToken: String) async throws {
            let refresh = try await fixture.client.post(
                "/v1/auth/refresh", ["refreshToken": .string(refreshToken)])
            let next = try refresh.expect(200).text("refreshToken")
            #expect(next != refreshToken)
            try await fixture.expectRoute(refresh, "identity.refresh", "identity.commands")

            let logout = try await fixture.client.post("/v1/auth/logout", ["refreshToken": .string(next)])
            try logout.expect(204)
            try await fixture.expectRoute(logout, "identity.logout", "identity.commands")
            try await fixture.client.post("/v1/auth/refresh", ["refreshToken": .string(next)])
                .expectProblem(401, "invalid-refresh-token")
        }
    }
}
