import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Ownership of media", .timeLimit(.minutes(3)))
struct OwnershipTests {
    @Test("reading or deleting another account's media returns 404, and the list does not contain it")
    @Loop func foreign() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, other) = (MediaFixture.owner(), MediaFixture.owner("other"))
            let media = try await fixture.picture(by: owner)
            let id: JSON = ["id": .string(media.id.text)]
            for type in ["media.get", "media.delete"] {
                let reply = try await fixture.ask(type, id, by: other)
                #expect((reply.status, reply.code) == (404, "media-not-found"), "\(type)")
                let unknown = try await fixture.ask(type, ["id": .string(UUID.v7().text)], by: owner)
                #expect((unknown.status, unknown.code) == (404, "media-not-found"), "\(type)")
            }
            #expect(try await fixture.ask("media.list", [:], by: other).json["totalMedia"]?.integer == 0)
            #expect(try await fixture.assets() == [media.id.text])
            #expect(try await fixture.delete(media.id, by: owner).status == 204)
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.ask("media.get", id, by: owner).status == 404)
            #expect(try await fixture.eventSubjects("media.deleted") == [media.id.text])
        }
    }

    @Test("a deletion with another entity tag than that of the picture gets 412, and the picture stays at Cloudinary")
    @Loop func ifMatch() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let media = try await fixture.picture(by: owner)
            let tag = try #require(
                try await fixture.ask("media.get", ["id": .string(media.id.text)], by: owner).etag)
            func delete(_ tag: String, by caller: Caller) async throws -> Reply {
                let body: JSON = ["id": .string(media.id.text), "ifMatch": [.string(tag)]]
                return try await fixture.ask("media.delete", body, by: caller)
            }
            #expect(try await delete("\"other\"", by: owner).code == "precondition-failed")
            #expect(try await delete(tag, by: MediaFixture.owner("stranger")).status == 404)
            #expect(try await fixture.assets() == [media.id.text])
            #expect(try await delete(tag, by: owner).status == 204)
            #expect(try await fixture.assets().isEmpty)
        }
    }

    @Test("a new description is a new version, and it cannot change during a conditional deletion")
    @Loop func ifMatchAfterChange() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let media = try await fixture.picture(by: owner)
            let id: JSON = ["id": .string(media.id.text)]
            func delete(_ tag: String?) async throws -> Reply {
                let body: JSON = ["id": .string(media.id.text), "ifMatch": [.string(tag ?? "")]]
                return try await fixture.ask("media.delete", body, by: owner)
            }
            let old = try await fixture.ask("media.get", id, by: owner).etag
            #expect(try await fixture.update(media.id, "a rabbit", by: owner).status == 200)
            #expect(try await delete(old).status == 412)
            let current = try await fixture.ask("media.get", id, by: owner).etag
            try await fixture.injectFaults(["delayMilliseconds": 1500, "after": true, "path": "destroy", "count": 1])
            async let deletion = delete(current)
            #expect(try await eventually { try await fixture.assets().isEmpty })
            #expect(try await fixture.update(media.id, "a hare", by: owner).status == 404)
            #expect(try await deletion.status == 204)
        }
    }

    @Test("an update with another entity tag than that of the picture gets 412 and changes nothing")
    @Loop func updateIfMatch() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let media = try await fixture.picture(by: owner)
            func update(_ text: String, ifMatch tags: [String], by caller: Caller) async throws -> Reply {
                let body: JSON = [
                    "id": .string(media.id.text), "description": .string(text), "ifMatch": .strings(tags),
                ]
                return try await fixture.ask("media.update", body, by: caller)
            }
            let id: JSON = ["id": .string(media.id.text)]
            let tag = try #require(try await fixture.ask("media.get", id, by: owner).etag)
            #expect(try await update("a hare", ifMatch: ["\"other\""], by: owner).code == "precondition-failed")
            #expect(try await update("a hare", ifMatch: [], by: owner).status == 412)
            #expect(try await update("a hare", ifMatch: [tag], by: MediaFixture.owner("stranger")).status == 404)
            #expect(try await fixture.ask("media.get", id, by: owner).etag == tag)
            #expect(try await update("a rabbit", ifMatch: ["\"other\"", tag], by: owner).status == 200)
            #expect(try await update("a hare", ifMatch: [tag], by: owner).status == 412)
            #expect(try await fixture.eventSubjects("media.updated").count == 1)
        }
    }

    @Test("two updates with the entity tag of the same version cannot both take effect")
    @Loop func concurrentUpdates() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let media = try await fixture.picture(by: owner)
            let id: JSON = ["id": .string(media.id.text)]
            let tag = try #require(try await fixture.ask("media.get", id, by: owner).etag)
            let statuses = try await concurrently(4) { number in
                let body: JSON = [
                    "id": .string(media.id.text), "description": .string("\(number)"), "ifMatch": [.string(tag)],
                ]
                return try await fixture.ask("media.update", body, by: owner).status
            }
            #expect(statuses.sorted() == [200, 412, 412, 412])
        }
    }

    @Test("the deletion of a post deletes the media in it that belong to its author, and no other media")
    @Loop func postDeleted() async throws {
        try await MediaFixture.with { fixture async throws in
            let (author, other) = (MediaFixture.owner(), MediaFixture.owner("other"))
            let (own, kept, foreign) = try await (
                fixture.picture(by: author), fixture.picture(by: author), fixture.picture(by: other)
            )
            try await fixture.postDeleted([own.id, foreign.id, .v7()], author: author.id)
            #expect(try await Set(fixture.assets()) == [kept.id.text, foreign.id.text])
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 2)
            #expect(try await fixture.eventSubjects("media.deleted") == [own.id.text])
            // A redelivery, and events without media of the author, change nothing.
            try await fixture.postDeleted([own.id, foreign.id], author: author.id)
            try await fixture.postDeleted([foreign.id], author: author.id)
            try await fixture.postDeleted([], author: other.id)
            #expect(try await Set(fixture.assets()) == [kept.id.text, foreign.id.text])
            #expect(try await fixture.eventSubjects("media.deleted") == [own.id.text])
        }
    }

    @Test("if one of a post's media cannot be deleted, the others are deleted, and the next delivery deletes it")
    @Loop func independently() async throws {
        try await MediaFixture.with { fixture async throws in
            let author = MediaFixture.owner()
            var ids: [UUID] = []
            for _ in 0..<4 { ids.append(try await fixture.picture(by: author).id) }
            try await fixture.injectFaults(["status": 403, "path": "destroy", "count": 1])
            await #expect(throws: (any Error).self) { try await fixture.postDeleted(ids, author: author.id) }
            let left = try await fixture.assets()
            #expect(left.count == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM media") == 1)
            let published = try await fixture.eventSubjects("media.deleted")
            #expect(Set(published) == Set(ids.map(\.text)).subtracting(left))
            // The next delivery deletes only the remaining media.
            try await fixture.postDeleted(ids, author: author.id)
            #expect(try await fixture.assets().isEmpty)
            #expect(try await fixture.eventSubjects("media.deleted") == published + left)
        }
    }
}
