import Contracts
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Ownership") struct Ownership {
        @Test("deleting another account's post gets 404, and the post remains")
        @Loop func postsStay() async throws {
            let client = try APIClient()
            let (author, other) = try await (TestAccount.register(client), TestAccount.register(client))
            let post = try await client.signedIn(as: author).createPost("mine, \(randomWord(8))").expect(201).text("id")
            try await client.signedIn(as: other).delete("/v1/posts/\(post)").expectProblem(404, "post-not-found")
            try await client.signedIn(as: other).get("/v1/posts/\(post)").expect(200)
            try await client.signedIn(as: author).delete("/v1/posts/\(post)").expect(204)
            try await client.signedIn(as: author).delete("/v1/posts/\(post)").expectProblem(404, "post-not-found")
        }

        @Test("only their owner can read, list and delete media; another account gets 404 and an empty list")
        @Loop func mediaIsOwn() async throws {
            let client = try APIClient()
            let (owner, other) = try await (TestAccount.register(client), TestAccount.register(client))
            let media = try await client.signedIn(as: owner).upload(RandomPNG.make()).expect(201).text("id")
            try await client.signedIn(as: other).get("/v1/media/\(media)").expectProblem(404, "media-not-found")
            try await client.signedIn(as: other).delete("/v1/media/\(media)").expectProblem(404, "media-not-found")
            #expect(try await client.signedIn(as: other).get("/v1/media").expect(200).ids("media").isEmpty)
            #expect(try await client.signedIn(as: owner).get("/v1/media").expect(200).ids("media") == [media])
            try await client.signedIn(as: owner).delete("/v1/media/\(media)").expect(204)
            #expect(try await !MediaHostClient().assets().contains(media))
        }

        @Test("deleting a post deletes the media of its author that it shows, but no media of another account")
        @Loop func othersMediaStays() async throws {
            let client = try APIClient()
            let (author, other) = try await (TestAccount.register(client), TestAccount.register(client))
            let own = try await client.signedIn(as: author).upload(RandomPNG.make()).expect(201).text("id")
            let foreign = try await client.signedIn(as: other).upload(RandomPNG.make()).expect(201)
            let post = try await client.signedIn(as: author).createPost(
                "with media of two accounts", media: [own, foreign.text("id")]
            ).expect(201)
            try await client.signedIn(as: author).delete("/v1/posts/\(post.text("id"))").expect(204)
            let isGone = try await eventually(within: .seconds(10)) {
                try await client.signedIn(as: author).get("/v1/media/\(own)").status == 404
            }
            #expect(isGone)
            try await client.signedIn(as: other).get("/v1/media/\(foreign.text("id"))").expect(200)
            #expect(try await MediaHostClient().delivery(foreign.text("url")).status == 200)
        }
    }
}
