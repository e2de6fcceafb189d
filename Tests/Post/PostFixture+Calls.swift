import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing

@testable import WorkerKit

extension PostFixture {
    /// Returns a caller with a new id.
    static func author(_ name: String = "rabbit") -> Caller { Caller(id: .v7(), username: name) }

    /// Delivers a request with a JSON body to a worker, and returns the reply.
    func ask(
        _ type: String, _ body: JSON, by caller: Caller = PostFixture.author("reader"), id: UUID = .v7(),
        at worker: Int = 0
    ) async throws -> Reply {
        let message = IncomingMessage(type: type, id: id, caller: caller, body: body.serialized())
        return try #require(try await deliver(message, to: worker))
    }

    /// Delivers an event.
    func publish<Data: DomainEvent>(_ data: Data, at worker: Int = 0) async throws {
        let event = CloudEvent(data: data)
        _ = try await deliver(
            IncomingMessage(type: Data.type, id: event.id, body: event.jsonBytes()), to: worker)
    }

    /// Creates a post and returns the post in the reply.
    func write(
        _ content: String = "a post", media: [UUID] = [], by author: Caller = PostFixture.author(), at worker: Int = 0
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

    /// Gets a post and decodes the reply.
    func shown(_ id: UUID, at worker: Int = 0) async throws -> Post {
        try Post.schema.decode(JSON.parse(try await get(id, at: worker).body))
    }

    /// Returns a page of the list as JSON.
    func list(_ query: JSON = [:], at worker: Int = 0) async throws -> JSON {
        let reply = try await ask("post.list", query, at: worker)
        try #require(reply.status == 200, "\(reply.text)")
        return try JSON.parse(reply.body, limits: .trusted)
    }

    /// Returns the ids of the posts on a page.
    func ids(_ page: JSON) -> [String] { page["posts"]?.array?.compactMap { $0["id"]?.string } ?? [] }
}
