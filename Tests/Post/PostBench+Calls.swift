import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import Testing

@testable import WorkerKit

extension PostBench {
    /// Someone whose posts are their own.
    static func author(_ name: String = "rabbit") -> Caller { Caller(id: .v7(), username: name) }

    /// Sends a request whose body is JSON of any kind.
    func ask(
        _ type: String, _ body: JSON, by caller: Caller = PostBench.author("reader"), id: UUID = .v7(),
        at worker: Int = 0
    ) async throws -> Reply {
        let message = IncomingMessage(type: type, id: id, caller: caller, body: body.serialized())
        return try #require(try await deliver(message, to: worker))
    }

    /// Sends an event.
    func hear<Data: DomainEvent>(_ data: Data, at worker: Int = 0) async throws {
        let event = CloudEvent(data: data)
        _ = try await deliver(
            IncomingMessage(type: Data.type, id: event.id, body: event.jsonBytes()), to: worker)
    }

    /// Writes a post and gives what it was answered.
    func write(
        _ content: String = "a post", media: [UUID] = [], by author: Caller = PostBench.author(), at worker: Int = 0
    ) async throws -> Post {
        let body: JSON = [
            "content": .string(content), "mediaIds": .array(media.map { .string($0.text) }),
        ]
        let reply = try await ask("post.create", body, by: author, at: worker)
        try #require(reply.status == 201, "\(reply.text)")
        return try Post.schema.decode(JSON.parse(reply.body))
    }

    func delete(_ post: Post, at worker: Int = 0) async throws -> Reply {
        let author = Caller(id: post.author.id, username: post.author.username)
        return try await ask("post.delete", ["id": .string(post.id.text)], by: author, at: worker)
    }

    func get(_ id: UUID, at worker: Int = 0) async throws -> Reply {
        try await ask("post.get", ["id": .string(id.text)], at: worker)
    }

    /// A post as it is shown.
    func shown(_ id: UUID, at worker: Int = 0) async throws -> Post {
        try Post.schema.decode(JSON.parse(try await get(id, at: worker).body))
    }

    /// A part of the list, with everything in its body.
    func list(_ query: JSON = [:], at worker: Int = 0) async throws -> JSON {
        let reply = try await ask("post.list", query, at: worker)
        try #require(reply.status == 200, "\(reply.text)")
        return try JSON.parse(reply.body, limits: .trusted)
    }

    /// The ids of a part of the list.
    func ids(_ page: JSON) -> [String] { page["posts"]?.array?.compactMap { $0["id"]?.string } ?? [] }

    /// The events that wait in the outbox, of a type.
    func events(_ type: String) async throws -> [JSON] {
        var events: [JSON] = []
        let statement = Statement("SELECT body FROM outbox WHERE type = $1 ORDER BY number")
        for row in try await database.query(statement, type) {
            events.append(try JSON.parse(try row.get(0, as: [UInt8].self), limits: .trusted))
        }
        return events
    }

    /// The number that a query of the database gives.
    func count(_ sql: String) async throws -> Int {
        try #require(try await database.query(Statement(sql)).first).get(0)
    }
}

extension Reply {
    var text: String { String(decoding: body, as: UTF8.self) }

    var json: JSON { (try? JSON.parse(body, limits: .trusted)) ?? .null }

    /// The code of the problem that it tells.
    var code: String? { json["code"]?.string }

    /// Where the body is wrong, as the problem tells it.
    var pointers: [String] { json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [] }
}
