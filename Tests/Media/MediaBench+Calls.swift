import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

extension MediaBench {
    /// Someone whose media are their own.
    static func owner(_ name: String = "rabbit") -> Caller { Caller(id: .v7(), username: name) }

    /// An upload as the ingress sends it, with someone who waits for its answer.
    static func upload(
        _ file: [UInt8], by owner: Caller, id: UUID = .v7(), isAwaited: Bool = true
    ) -> IncomingMessage {
        IncomingMessage(type: "media.upload", id: id, caller: owner, body: file, isAwaited: isAwaited)
    }

    func upload(_ file: [UInt8] = SamplePicture.png, by owner: Caller, id: UUID = .v7()) async throws -> Reply {
        try #require(try await deliver(Self.upload(file, by: owner, id: id)))
    }

    /// Uploads a picture that is taken.
    func picture(_ file: [UInt8] = SamplePicture.png, by owner: Caller) async throws -> Media {
        let reply = try await upload(file, by: owner)
        try #require(reply.status == 201, "\(reply.text)")
        return try Media.schema.decode(JSON.parse(reply.body))
    }

    /// Sends a request whose body is JSON of any kind.
    func ask(_ type: String, _ body: JSON, by caller: Caller, id: UUID = .v7()) async throws -> Reply {
        let message = IncomingMessage(type: type, id: id, caller: caller, body: body.serialized(), isAwaited: true)
        return try #require(try await deliver(message))
    }

    func delete(_ id: UUID, by owner: Caller) async throws -> Reply {
        try await ask("media.delete", ["id": .string(id.text)], by: owner)
    }

    /// Tells of a deleted post.
    func postDeleted(_ media: [UUID], author: UUID) async throws {
        let event = CloudEvent(data: PostDeleted(id: .v7(), authorId: author, mediaIds: media, deletedAt: .now()))
        _ = try await deliver(IncomingMessage(type: PostDeleted.type, id: event.id, body: event.jsonBytes()))
    }

    /// The subjects of the events of a type that wait in the outbox.
    func events(_ type: String) async throws -> [String] {
        var subjects: [String] = []
        let statement = Statement("SELECT body FROM outbox WHERE type = $1 ORDER BY number")
        for row in try await database.query(statement, type) {
            let event = try JSON.parse(try row.get(0, as: [UInt8].self), limits: .trusted)
            subjects.append(try #require(event["subject"]?.string))
        }
        return subjects
    }

    /// The number that a query of the database gives.
    func count(_ sql: String) async throws -> Int {
        try #require(try await database.query(Statement(sql)).first).get(0)
    }

    /// How many uploads are noted as begun and not done.
    func uploads() async throws -> Int { try await count("SELECT count(*) FROM upload") }
}

extension Reply {
    var text: String { String(decoding: body, as: UTF8.self) }

    var json: JSON { (try? JSON.parse(body, limits: .trusted)) ?? .null }

    /// The code of the problem that it tells.
    var code: String? { json["code"]?.string }

    /// Where the body is wrong, as the problem tells it.
    var pointers: [String] { json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [] }
}
