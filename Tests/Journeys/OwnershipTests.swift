import Contracts
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Two accounts") struct Ownership {
        @Test("nobody deletes another's post: to others it is not there")
        @Loop func postsStay() async throws {
            let client = try Client()
            let (author, other) = try await (Person.register(client), Person.register(client))
            let post = try await client.by(author).write("Mine, \(Fresh.word(8))").expect(201).text("id")
            try await client.by(other).delete("/v1/posts/\(post)").expectProblem(404, "post-not-found")
            try await client.by(other).get("/v1/posts/\(post)").expect(200)
            try await client.by(author).delete("/v1/posts/\(post)").expect(204)
            try await client.by(author).delete("/v1/posts/\(post)").expectProblem(404, "post-not-found")
        }

        @Test("nobody sees, lists or deletes another's media")
        @Loop func mediaIsOwn() async throws {
            let client = try Client()
            let (owner, other) = try await (Person.register(client), Person.register(client))
            let media = try await client.by(owner).upload(Picture.png()).expect(201).text("id")
            try await client.by(other).get("/v1/media/\(media)").expectProblem(404, "media-not-found")
            try await client.by(other).delete("/v1/media/\(media)").expectProblem(404, "media-not-found")
            #expect(try await client.by(other).get("/v1/media").expect(200).ids("media").isEmpty)
            #expect(try await client.by(owner).get("/v1/media").expect(200).ids("media") == [media])
            try await client.by(owner).delete("/v1/media/\(media)").expect(204)
            #expect(try await !MediaHost().assets().contains(media))
        }

        @Test("deleting my post deletes my media that it shows, and not yours")
        @Loop func othersMediaStays() async throws {
            let client = try Client()
            let (author, other) = try await (Person.register(client), Person.register(client))
            let own = try await client.by(author).upload(Picture.png()).expect(201).text("id")
            let foreign = try await client.by(other).upload(Picture.png()).expect(201)
            let post = try await client.by(author).write("Ours", media: [own, foreign.text("id")]).expect(201)
            try await client.by(author).delete("/v1/posts/\(post.text("id"))").expect(204)
            let isGone = try await eventually(within: .seconds(10)) {
                try await client.by(author).get("/v1/media/\(own)").status == 404
            }
            #expect(isGone)
            try await client.by(other).get("/v1/media/\(foreign.text("id"))").expect(200)
            #expect(try await MediaHost().delivery(foreign.text("url")).status == 200)
        }
    }
}
