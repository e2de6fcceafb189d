import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Descriptions of media", .timeLimit(.minutes(3)))
struct DescriptionTests {
    /// Returns the description in a reply, or `null`.
    private func description(_ reply: Reply) throws -> JSON? { try JSON.parse(reply.body)["description"] }

    @Test("an upload stores its description without the white space around it, and all replies and the event have it")
    @Loop func upload() async throws {
        try await MediaFixture.with { fixture async throws in
            for (sent, stored) in [
                ("A rabbit", "A rabbit"), (" \n A\trabbit\r\n", "A\trabbit"), ("🐇 hüpft", "🐇 hüpft"), ("", nil),
                (" \n", nil), (nil, nil), (String(repeating: "é", count: 1500), String(repeating: "é", count: 1500)),
            ] as [(String?, String?)] {
                let owner = MediaFixture.owner()
                let expected = stored.map { JSON.string($0) } ?? .null
                let reply = try await fixture.upload(by: owner, description: sent)
                #expect(reply.status == 201)
                #expect(try description(reply) == expected)
                let media = try Media.schema.decode(JSON.parse(reply.body))
                #expect(
                    try await description(fixture.ask("media.get", ["id": .string(media.id.text)], by: owner))
                        == expected)
                let list = try await fixture.ask("media.list", [:], by: owner)
                #expect(try JSON.parse(list.body)["media"]?.array?.first?["description"] == expected)
                let event = try await fixture.database.outboxEvents("media.uploaded").last
                #expect(event?["data"]?["description"] == expected)
            }
        }
    }

    @Test(
        "an upload with a description of more than 1,500 characters or with U+0000 is refused and not sent to the host")
    @Loop func refused() async throws {
        try await MediaFixture.with { fixture async throws in
            for text in [String(repeating: "x", count: 1501), "a\u{0}b"] {
                let reply = try await fixture.upload(by: MediaFixture.owner(), description: text)
                #expect((reply.status, reply.code) == (422, "invalid"))
                #expect(reply.pointers == ["/description"])
            }
            #expect(try await fixture.assets().isEmpty)
        }
    }

    @Test("a redelivered upload has the same description, and one with another description is refused with 422")
    @Loop func redelivery() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, id) = (MediaFixture.owner(), UUID.v7())
            let first = try await fixture.upload(by: owner, id: id, description: "A rabbit")
            #expect(try await fixture.upload(by: owner, id: id, description: "A rabbit").body == first.body)
            for other in ["A hare", nil] {
                let reply = try await fixture.upload(by: owner, id: id, description: other)
                #expect((reply.status, reply.code) == (422, "idempotency-key-reused"))
            }
        }
    }

    @Test("an update changes only the description, and publishes it with times that increase")
    @Loop func update() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let media = try await fixture.picture(by: owner)
            var times: [String] = []
            for (sent, stored) in [
                (.string("A rabbit"), .string("A rabbit")), (.string(" A hare "), .string("A hare")), (.null, .null),
                (.string("x"), .string("x")), (.string(" "), .null),
            ] as [(JSON, JSON)] {
                let reply = try await fixture.update(media.id, sent, by: owner)
                #expect(reply.status == 200, "\(reply.text)")
                #expect(try description(reply) == stored)
                let changed = try Media.schema.decode(JSON.parse(reply.body))
                #expect((changed.id, changed.url, changed.createdAt) == (media.id, media.url, media.createdAt))
                let read = try await fixture.ask("media.get", ["id": .string(media.id.text)], by: owner)
                #expect(read.body == reply.body)
                #expect(read.etag != nil && read.etag == reply.etag)
                let event = try #require(try await fixture.database.outboxEvents("media.updated").last?["data"])
                #expect(event["id"]?.string == media.id.text)
                #expect(event["ownerId"]?.string == owner.id.text)
                #expect(event["description"] == stored)
                times.append(try #require(event["updatedAt"]?.string))
            }
            #expect(times == times.sorted() && Set(times).count == times.count)
        }
    }

    @Test("the time of an update is later than that of the last one, also if the clock of another worker was ahead")
    @Loop func clocks() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let media = try await fixture.picture(by: owner)
            let ahead = Statement("UPDATE media SET described_at = now() + interval '1 hour'")
            _ = try await fixture.database.query(ahead)
            _ = try await fixture.update(media.id, .string("x"), by: owner)
            let event = try #require(try await fixture.database.outboxEvents("media.updated").last?["data"])
            let text = try #require(event["updatedAt"]?.string)
            let time = try #require(Timestamp(text: text))
            #expect(time > Timestamp.now().advanced(by: .seconds(3500)))
        }
    }

    @Test("a redelivered update gets the stored reply and changes nothing, also after a later update or a deletion")
    @Loop func redeliveredUpdate() async throws {
        try await MediaFixture.with { fixture async throws in
            let (owner, id) = (MediaFixture.owner(), UUID.v7())
            let media = try await fixture.picture(by: owner)
            let first = try await fixture.update(media.id, .string("first"), by: owner, id: id)
            _ = try await fixture.update(media.id, .string("second"), by: owner)
            #expect(try await fixture.update(media.id, .string("first"), by: owner, id: id).body == first.body)
            let read = try await fixture.ask("media.get", ["id": .string(media.id.text)], by: owner)
            #expect(try description(read) == "second")
            #expect(try await fixture.eventSubjects("media.updated").count == 2)
            _ = try await fixture.delete(media.id, by: owner)
            #expect(try await fixture.update(media.id, .string("first"), by: owner, id: id).body == first.body)
        }
    }

    @Test("an update of another account's media or of unknown media gets 404, and an invalid one 422")
    @Loop func refusedUpdate() async throws {
        try await MediaFixture.with { fixture async throws in
            let owner = MediaFixture.owner()
            let media = try await fixture.picture(by: owner)
            let foreign = try await fixture.update(media.id, .string("x"), by: MediaFixture.owner("other"))
            #expect((foreign.status, foreign.code) == (404, "media-not-found"))
            let unknown = try await fixture.update(.v7(), .string("x"), by: owner)
            #expect((unknown.status, unknown.code) == (404, "media-not-found"))
            for value: JSON in [.string(String(repeating: "x", count: 1501)), 5, ["x"], .string("a\u{0}b")] {
                let reply = try await fixture.update(media.id, value, by: owner)
                #expect((reply.status, reply.pointers) == (422, ["/description"]))
            }
            #expect(try await fixture.ask("media.update", ["id": .string(media.id.text)], by: owner).status == 422)
            let read = try await fixture.ask("media.get", ["id": .string(media.id.text)], by: owner)
            #expect(try description(read) == .null)
            #expect(try await fixture.eventSubjects("media.updated").isEmpty)
        }
    }
}
