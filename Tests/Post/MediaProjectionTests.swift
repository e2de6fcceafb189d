import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing

@testable import WorkerKit

extension Media {
    /// Returns a media item for the event `media.uploaded`.
    static func sample(_ id: UUID, description: String? = nil) -> Media {
        Media(
            id: id, url: "https://example.org/\(id.text).png", contentType: "image/png", bytes: 100, width: 16,
            height: 9, createdAt: .now(), description: description)
    }
}

@Suite("Media of posts", .timeLimit(.minutes(2)))
struct MediaProjectionTests {
    @Test("a post shows the URL of its media after the upload event and until the deletion event")
    @Loop func urlFromUploadToDeletion() async throws {
        try await PostFixture.with(workers: 2) { fixture async throws in
            let author = PostFixture.author()
            let (known, unknown) = (UUID.v7(), UUID.v7())
            try await fixture.publish(MediaUploaded(media: .sample(known), ownerId: author.id))
            let post = try await fixture.write("with two", media: [unknown, known], by: author)
            let knownURL = Media.sample(known).url
            #expect(post.media == [PostMedia(id: unknown, url: nil), PostMedia(id: known, url: knownURL)])
            // Each worker reads the post and the list, so that both are cached. After the events below, no worker may
            // return the cached values.
            for worker in 0..<2 {
                #expect(try await fixture.shown(post.id, at: worker).media == post.media)
                _ = try await fixture.list(at: worker)
            }
            try await fixture.publish(MediaUploaded(media: .sample(unknown), ownerId: author.id))
            for worker in 0..<2 {
                #expect(try await fixture.shown(post.id, at: worker).media[0].url == Media.sample(unknown).url)
                let listed = try await fixture.list(at: worker)["posts"]?.array?.first
                #expect(listed?["media"]?.array?.first?["url"]?.string == Media.sample(unknown).url)
            }
            try await fixture.publish(MediaDeleted(id: known, ownerId: author.id))
            for worker in 0..<2 { #expect(try await fixture.shown(post.id, at: worker).media[1].url == nil) }
        }
    }

    @Test("a post shows the description of its media, from its creation on and after each change")
    @Loop func description() async throws {
        try await PostFixture.with(workers: 2) { fixture async throws in
            let (author, media) = (PostFixture.author(), UUID.v7())
            try await fixture.publish(
                MediaUploaded(media: .sample(media, description: "A\nrabbit"), ownerId: author.id))
            let post = try await fixture.write("described", media: [media], by: author)
            let url = Media.sample(media).url
            #expect(post.media == [PostMedia(id: media, url: url, description: "A\nrabbit")])
            for description in ["A hare", nil, "A burrow"] {
                for worker in 0..<2 { _ = try await fixture.shown(post.id, at: worker) }
                try await fixture.publish(
                    MediaUpdated(id: media, ownerId: author.id, description: description, updatedAt: .ordered()))
                for worker in 0..<2 {
                    let shown = try await fixture.shown(post.id, at: worker).media
                    #expect(shown == [PostMedia(id: media, url: url, description: description)])
                    let listed = try await fixture.list(at: worker)["posts"]?.array?.first
                    let expected = description.map { JSON.string($0) } ?? .null
                    #expect(listed?["media"]?.array?.first?["description"] == expected)
                }
            }
        }
    }

    @Test("of several changes of a description the latest one counts, in whatever order the events arrive")
    @Loop func descriptionOrder() async throws {
        try await PostFixture.with { fixture async throws in
            let (author, media) = (PostFixture.author(), UUID.v7())
            let post = try await fixture.write("described", media: [media], by: author)
            let upload = MediaUploaded(media: .sample(media, description: "at first"), ownerId: author.id)
            let uploadedAt = upload.media.createdAt
            func change(_ text: String, after seconds: Int) async throws {
                let time = uploadedAt.advanced(by: .seconds(seconds))
                try await fixture.publish(
                    MediaUpdated(id: media, ownerId: author.id, description: text, updatedAt: time))
            }
            func shown() async throws -> PostMedia? { try await fixture.shown(post.id).media.first }
            try await change("second", after: 2)
            try await fixture.publish(upload)
            #expect(try await shown() == PostMedia(id: media, url: upload.media.url, description: "second"))
            try await change("first", after: 1)
            try await fixture.publish(upload)
            #expect(try await shown()?.description == "second")
            try await change("third", after: 3)
            #expect(try await shown()?.description == "third")
            try await fixture.publish(MediaDeleted(id: media, ownerId: author.id))
            try await change("fourth", after: 4)
            #expect(try await shown() == PostMedia(id: media, url: nil))
        }
    }

    @Test("media events can be delivered twice and in any order, and deleted media never get a URL")
    @Loop func anyOrder() async throws {
        try await PostFixture.with { fixture async throws in
            let (author, media) = (PostFixture.author(), UUID.v7())
            let post = try await fixture.write("early", media: [media], by: author)
            try await fixture.publish(MediaDeleted(id: media, ownerId: author.id))
            try await fixture.publish(MediaUploaded(media: .sample(media), ownerId: author.id))
            #expect(try await fixture.shown(post.id).media == [PostMedia(id: media, url: nil)])
            let other = UUID.v7()
            let later = try await fixture.write("twice", media: [other], by: author)
            for _ in 0..<2 { try await fixture.publish(MediaUploaded(media: .sample(other), ownerId: author.id)) }
            #expect(try await fixture.shown(later.id).media[0].url == Media.sample(other).url)
        }
    }

    @Test("a post does not show the URLs of media that belong to another account")
    @Loop func foreign() async throws {
        try await PostFixture.with { fixture async throws in
            let (author, owner) = (PostFixture.author(), PostFixture.author("owner"))
            let (before, after) = (UUID.v7(), UUID.v7())
            try await fixture.publish(MediaUploaded(media: .sample(before, description: "x"), ownerId: owner.id))
            let post = try await fixture.write("not mine", media: [before, after], by: author)
            try await fixture.publish(MediaUploaded(media: .sample(after), ownerId: owner.id))
            #expect(post.media.allSatisfy { $0.url == nil && $0.description == nil })
            #expect(try await fixture.shown(post.id).media.allSatisfy { $0.url == nil })
            #expect(try await fixture.shown(fixture.write("mine", media: [after], by: owner).id).media[0].url != nil)
        }
    }
}
