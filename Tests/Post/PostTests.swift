import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Posts", .timeLimit(.minutes(2)))
struct PostTests {
    @Test("a creation returns the post with 201 and its location, and publishes post.created")
    @Loop func create() async throws {
        try await PostFixture.with { fixture async throws in
            let author = PostFixture.author("hazel")
            let reply = try await fixture.ask("post.create", ["content": "Hello"], by: author)
            #expect(reply.status == 201)
            let post = try Post.schema.decode(JSON.parse(reply.body))
            #expect(reply.location == "/v1/posts/\(post.id.text)")
            #expect(post.author == Author(id: author.id, username: "hazel"))
            #expect(post.content == "Hello")
            #expect(post.media.isEmpty)
            #expect(post.id.text == post.id.text.lowercased())
            #expect(try await fixture.get(post.id).body == reply.body)
            let event = try #require(try await fixture.database.outboxEvents("post.created").first)
            #expect(event["subject"]?.string == post.id.text)
            #expect(event["data"]?["content"]?.string == "Hello")
            #expect(event["data"]?["mediaIds"]?.array == [])
        }
    }

    static let tooMany = JSON.array((0..<11).map { _ in .string(UUID.v7().text) })
    static let twice = UUID.v7().text

    @Test(
        "a post with an invalid text, invalid media or an unknown field is refused with 422 at that field",
        arguments: [
            ([:], ["/content"]), (["content": ""], ["/content"]), (["content": " \n\t\u{3000}"], ["/content"]),
            (["content": .string(String(repeating: "x", count: 5001))], ["/content"]), (["content": 5], ["/content"]),
            (["content": "a", "mediaIds": tooMany], ["/mediaIds"]),
            (["content": "a", "mediaIds": [.string(twice), .string(twice.uppercased())]], ["/mediaIds"]),
            (["content": "a", "mediaIds": ["x"]], ["/mediaIds/0"]),
            (["content": "a", "mediaIds": .null], ["/mediaIds"]),
            (["content": "a", "id": "x"], ["/id"]), (["content": "a", "author": ["id": "x"]], ["/author"]),
            (["content": "", "mediaIds": ["x"]], ["/content", "/mediaIds/0"]),
        ] as [(JSON, [String])])
    @Loop func refused(_ body: JSON, _ pointers: [String]) async throws {
        try await PostFixture.with { fixture async throws in
            let reply = try await fixture.ask("post.create", body)
            #expect(reply.status == 422, "\(reply.text)")
            #expect(Set(reply.pointers.map { $0.hasPrefix("/mediaIds/1") ? "/mediaIds" : $0 }) == Set(pointers))
            #expect(try await fixture.database.count("SELECT count(*) FROM posts") == 0)
        }
    }

    @Test("a post of 5000 characters of any script is returned unchanged")
    @Loop func long() async throws {
        try await PostFixture.with { fixture async throws in
            for character in ["x", "é", "兔", "🐇"] {
                let content = String(repeating: character, count: 5000)
                #expect(try await fixture.shown(fixture.write(content).id).content == content)
            }
        }
    }

    @Test("a deletion gets 204 for the author and 404 for other accounts, and a deleted post is not found")
    @Loop func delete() async throws {
        try await PostFixture.with { fixture async throws in
            let media = UUID.v7()
            let post = try await fixture.write("mine", media: [media])
            let id: JSON = ["id": .string(post.id.text)]
            let other = try await fixture.ask("post.delete", id, by: PostFixture.author("other"))
            #expect((other.status, other.code) == (404, "post-not-found"))
            #expect(try await fixture.get(post.id).status == 200)
            #expect(try await fixture.delete(post).status == 204)
            #expect(try await fixture.get(post.id).code == "post-not-found")
            #expect(try await fixture.delete(post).code == "post-not-found")
            #expect(try await fixture.get(.v7()).code == "post-not-found")
            let events = try await fixture.database.outboxEvents("post.deleted")
            #expect(events.count == 1)
            #expect(events.first?["data"]?["authorId"]?.string == post.author.id.text)
            #expect(events.first?["data"]?["mediaIds"]?.array == [.string(media.text)])
        }
    }

    @Test("a creation and a deletion that are delivered eight times concurrently take effect once")
    @Loop func once() async throws {
        try await PostFixture.with(workers: 2) { fixture async throws in
            let (author, id) = (PostFixture.author(), UUID.v7())
            let replies = try await concurrently(8) { number in
                try await fixture.ask("post.create", ["content": "once"], by: author, id: id, at: number % 2)
            }
            #expect(Set(replies.map(\.body)).count == 1)
            #expect(replies.allSatisfy { $0.status == 201 })
            #expect(try await fixture.database.count("SELECT count(*) FROM posts") == 1)
            #expect(try await fixture.list()["totalPosts"]?.integer == 1)
            #expect(try await fixture.database.outboxEvents("post.created").count == 1)
            let post = try Post.schema.decode(JSON.parse(replies[0].body))
            let deletion = UUID.v7()
            let statuses = try await concurrently(8) { number in
                let body: JSON = ["id": .string(post.id.text)]
                return try await fixture.ask("post.delete", body, by: author, id: deletion, at: number % 2).status
            }
            #expect(statuses.allSatisfy { $0 == 204 })
            #expect(try await fixture.list()["totalPosts"]?.integer == 0)
            #expect(try await fixture.database.outboxEvents("post.deleted").count == 1)
        }
    }

    @Test("a post's entity tag is the same at every worker, and changes if the post's body changes")
    @Loop func entityTag() async throws {
        try await PostFixture.with(workers: 2) { fixture async throws in
            let (author, media) = (PostFixture.author(), UUID.v7())
            let post = try await fixture.write("tagged", media: [media], by: author)
            let fromDatabase = try await fixture.get(post.id)
            let tag = try #require(fromDatabase.etag)
            #expect(tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.utf8.count > 10)
            #expect(tag.dropFirst().dropLast().utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 })
            for worker in 0..<2 { #expect(try await fixture.get(post.id, at: worker).etag == tag) }
            #expect(try await fixture.get(fixture.write("other").id).etag != tag)
            try await fixture.publish(MediaUploaded(media: .sample(media), ownerId: author.id))
            let changed = try await fixture.get(post.id)
            #expect(changed.etag != tag)
            #expect(changed.etag != nil)
        }
    }

    @Test("a post's id differs from its message's id and from the ids of all other posts")
    @Loop func ownID() async throws {
        try await PostFixture.with { fixture async throws in
            func create(_ id: UUID) async throws -> Post {
                let reply = try await fixture.ask("post.create", ["content": "mine"], by: author, id: id)
                try #require(reply.status == 201, "\(reply.text)")
                return try Post.schema.decode(JSON.parse(reply.body))
            }
            let author = PostFixture.author()
            let deleted = try await fixture.write()
            #expect(try await fixture.delete(deleted).status == 204)
            let existing = try await fixture.write()
            var octets = UUID().octets
            octets[6] = 0x40
            let plain = UUID(octets: octets)
            octets[0] ^= 1
            octets[10] ^= 1
            let ids = [existing.id, deleted.id, plain, UUID(octets: octets)]
            var made: Set<UUID> = []
            for id in ids { made.insert(try await create(id).id) }
            #expect(made.count == 4 && made.isDisjoint(with: ids))
            #expect(try await fixture.database.count("SELECT sum(posts)::bigint FROM post_count") == 5)
            #expect(try await fixture.shown(existing.id).content == "a post")
        }
    }

    @Test("a creation that is redelivered after its inbox row was deleted is refused as idempotency-key-reused")
    @Loop func forgotten() async throws {
        try await PostFixture.with { fixture async throws in
            let (author, id) = (PostFixture.author(), UUID.v7())
            let first = try await fixture.ask("post.create", ["content": "once"], by: author, id: id)
            #expect(first.status == 201)
            _ = try await fixture.database.query(Statement("DELETE FROM inbox"))
            let second = try await fixture.ask("post.create", ["content": "once"], by: author, id: id)
            #expect(second.status == 422 && second.code == "idempotency-key-reused")
            #expect(try await fixture.database.count("SELECT sum(posts)::bigint FROM post_count") == 1)
            #expect(try await fixture.database.outboxEvents("post.created").count == 1)
        }
    }

    @Test("a deletion with the entity tag of the post deletes it, and with other tags gets 412 and changes nothing")
    @Loop func ifMatch() async throws {
        try await PostFixture.with { fixture async throws in
            let post = try await fixture.write()
            let tag = try #require(try await fixture.get(post.id).etag)
            let author = Caller(id: post.author.id, username: post.author.username)
            func delete(_ tags: [String], id: UUID = .v7(), by caller: Caller) async throws -> Reply {
                let body: JSON = ["id": .string(post.id.text), "ifMatch": .array(tags.map { .string($0) })]
                return try await fixture.ask("post.delete", body, by: caller, id: id)
            }
            let refused = UUID.v7()
            for tags in [["\"other\""], [], [String(tag.dropLast(2)) + "\""], ["W/\(tag)"]] {
                let reply = try await delete(tags, id: tags == ["\"other\""] ? refused : .v7(), by: author)
                #expect(reply.status == 412)
                #expect(reply.code == "precondition-failed")
            }
            // Whether the post exists matters first, and strangers do not learn its tag.
            #expect(try await delete([tag], by: PostFixture.author("stranger")).status == 404)
            #expect(try await fixture.get(post.id).status == 200)
            #expect(try await fixture.database.outboxEvents("post.deleted").isEmpty)

            let command = UUID.v7()
            #expect(try await delete(["\"other\"", tag], id: command, by: author).status == 204)
            #expect(try await fixture.get(post.id).status == 404)
            // A redelivery gets the stored reply, and so does a refused command.
            #expect(try await delete(["\"other\"", tag], id: command, by: author).status == 204)
            #expect(try await delete(["\"other\""], id: refused, by: author).status == 412)
            #expect(try await delete([tag], id: command, by: author).code == "idempotency-key-reused")
            #expect(try await fixture.database.outboxEvents("post.deleted").count == 1)
        }
    }

    @Test("the entity tag changes when a picture of the post is deleted, and a deletion with the old tag gets 412")
    @Loop func ifMatchAfterChange() async throws {
        try await PostFixture.with { fixture async throws in
            let author = PostFixture.author()
            let media = UUID.v7()
            try await fixture.publish(MediaUploaded(media: .sample(media), ownerId: author.id))
            let post = try await fixture.write(media: [media], by: author)
            let old = try #require(try await fixture.get(post.id).etag)
            try await fixture.publish(MediaDeleted(id: media, ownerId: author.id))
            let body: JSON = ["id": .string(post.id.text), "ifMatch": [.string(old)]]
            #expect(try await fixture.ask("post.delete", body, by: author).status == 412)
        }
    }
}
