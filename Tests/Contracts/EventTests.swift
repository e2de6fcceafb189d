import Contracts
import FoundationEssentials
import Testing

@Suite("Events")
struct EventTests {
    private static let time = Timestamp(milliseconds: 1_738_314_300_123)
    private let id = UUID.v7()
    private let other = UUID.v7()

    private var post: Post {
        Post(
            id: id, author: Author(id: other, username: "ann"), content: "c", media: [PostMedia(id: other, url: nil)],
            createdAt: Self.time)
    }

    private func expectRoundTrip<Payload: ContractEvent>(
        _ data: Payload, _ type: String, _ source: String
    ) throws -> JSON {
        let event = CloudEvent(time: Self.time, data: data)
        let json = try JSON.parse(event.jsonBytes(), limits: .trusted)
        #expect(json["specversion"] == "1.0")
        #expect(json["id"]?.string == event.id.text)
        #expect(json["source"]?.string == source)
        #expect(json["type"]?.string == type)
        #expect(json["subject"]?.string == data.subject.text)
        #expect(json["time"] == "2025-01-31T09:05:00.123Z")
        #expect(json["datacontenttype"] == "application/json")
        #expect(event.id.version == 7)
        #expect(try EventEnvelope.decode(event.jsonBytes()).decode(Payload.self) == event)
        #expect(EventDescriptor.all.contains(Payload.descriptor))
        return try #require(json["data"])
    }

    @Test("an event is encoded as CloudEvents 1.0 and decoded to the same value")
    func each() throws {
        let created = try expectRoundTrip(PostCreated(post: post, mediaIds: [other]), "post.created", "/warren/post")
        #expect(created["content"] == "c")
        #expect(created["mediaIds"]?.array == [.string(other.text)])
        let deleted = try expectRoundTrip(
            PostDeleted(id: id, authorId: other, mediaIds: [], deletedAt: Self.time), "post.deleted", "/warren/post")
        #expect(deleted["authorId"]?.string == other.text)
        let media = Media(
            id: id, url: "https://x.example", contentType: "image/gif", bytes: 1, width: 2, height: 3,
            createdAt: Self.time)
        let uploaded = try expectRoundTrip(
            MediaUploaded(media: media, ownerId: other), "media.uploaded", "/warren/media")
        #expect(uploaded["ownerId"]?.string == other.text)
        _ = try expectRoundTrip(MediaDeleted(id: id, ownerId: other), "media.deleted", "/warren/media")
        let registered = try expectRoundTrip(
            AccountRegistered(id: id, username: "ann", createdAt: Self.time), "account.registered", "/warren/identity")
        #expect(registered["email"] == nil)
    }

    @Test("unknown fields of an event are ignored at every level")
    func unknownFields() throws {
        let text = #"""
            {"specversion":"1.0","id":"\#(id.text)","source":"/warren/post","type":"post.created","time":"2025-01-31T10:05:00+01:00",
            "dataschema":"x","traceparent":"y","data":{"id":"\#(id.text)","author":{"id":"\#(other.text)","username":"ann","bot":true},
            "content":"c","media":[{"id":"\#(other.text)","url":null,"alt":"z"}],"createdAt":"2025-01-31T09:05:00.123Z","mediaIds":[],
            "language":"en"}}
            """#
        let event = try EventEnvelope.decode(Array(text.utf8)).decode(PostCreated.self)
        #expect(event.data == PostCreated(post: post, mediaIds: []))
        #expect(event.time.milliseconds == 1_738_314_300_000)
    }

    @Test("a body that is not the expected event throws EventFault")
    func refused() throws {
        #expect(throws: EventFault.self) { try EventEnvelope.decode(Array("no".utf8)) }
        #expect(throws: EventFault.self) { try EventEnvelope.decode(Array("{}".utf8)) }
        let deleted = CloudEvent(data: MediaDeleted(id: id, ownerId: other)).jsonBytes()
        let envelope = try EventEnvelope.decode(deleted)
        #expect(throws: EventFault.unexpectedType("media.deleted")) { try envelope.decode(PostDeleted.self) }
        let lacking = String(decoding: deleted, as: UTF8.self).replacing("ownerId", with: "owner")
        let fault = EventFault.invalid(
            ValidationError(faults: [ValidationFault(pointer: "/ownerId", message: "is required")]))
        #expect(throws: fault) { try EventEnvelope.decode(Array(lacking.utf8)).decode(MediaDeleted.self) }
    }
}
