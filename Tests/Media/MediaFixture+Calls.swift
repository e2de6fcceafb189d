import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension MediaFixture {
    /// Returns a caller with a new id.
    static func owner(_ name: String = "rabbit") -> Caller { Caller(id: .v7(), username: name) }

    /// Returns an upload message as the ingress sends it.
    ///
    /// - Parameter isAwaited: whether the sender waits for the reply.
    static func upload(
        _ file: [UInt8], by owner: Caller, id: UUID = .v7(), description: String? = nil, isAwaited: Bool = true
    ) -> IncomingMessage {
        IncomingMessage(
            type: "media.upload", id: id, caller: owner, body: file, description: description, isAwaited: isAwaited)
    }

    func upload(
        _ file: [UInt8] = SamplePicture.png, by owner: Caller, id: UUID = .v7(), description: String? = nil
    ) async throws -> Reply {
        try #require(try await deliver(Self.upload(file, by: owner, id: id, description: description)))
    }

    /// Changes the description of a media item; `null` removes it.
    func update(_ media: UUID, _ description: JSON, by owner: Caller, id: UUID = .v7()) async throws -> Reply {
        try await ask("media.update", ["id": .string(media.text), "description": description], by: owner, id: id)
    }

    /// Uploads an image and returns the media item in the reply.
    func picture(_ file: [UInt8] = SamplePicture.png, by owner: Caller) async throws -> Media {
        let reply = try await upload(file, by: owner)
        try #require(reply.status == 201, "\(reply.text)")
        return try Media.schema.decode(JSON.parse(reply.body))
    }

    /// Delivers a request with a JSON body, and returns the reply.
    func ask(_ type: String, _ body: JSON, by caller: Caller, id: UUID = .v7()) async throws -> Reply {
        let message = IncomingMessage(type: type, id: id, caller: caller, body: body.serialized(), isAwaited: true)
        return try #require(try await deliver(message))
    }

    func delete(_ id: UUID, by owner: Caller) async throws -> Reply {
        try await ask("media.delete", ["id": .string(id.text)], by: owner)
    }

    /// Delivers the event `post.deleted`.
    func postDeleted(_ media: [UUID], author: UUID) async throws {
        let event = CloudEvent(data: PostDeleted(id: .v7(), authorId: author, mediaIds: media, deletedAt: .now()))
        _ = try await deliver(IncomingMessage(type: PostDeleted.type, id: event.id, body: event.jsonBytes()))
    }

    /// Returns the subjects of the events of a type in the outbox.
    func eventSubjects(_ type: String) async throws -> [String] {
        try await database.outboxEvents(type).map { try #require($0["subject"]?.string) }
    }

    /// Returns the number of uploads that have a row and are not finished.
    func unfinishedUploadCount() async throws -> Int {
        try await database.count("SELECT count(*) FROM upload WHERE NOT is_finished")
    }
}
