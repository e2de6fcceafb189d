internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Creates and deletes posts.
@Loop struct PostCommands {
    let cache: PostCache

    func create(_ command: CreatePost, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let id = context.newID
        let createdAt = Timestamp.now()
        let transaction = try await context.transaction()
        let known =
            command.mediaIds.isEmpty
            ? nil : transaction.send(PostStatements.mediaURLs, command.mediaIds, caller.id)
        // Not awaited: it travels with the commit, which fails where it does.
        transaction.send(
            PostStatements.insert, id, caller.id, caller.username, command.content, command.mediaIds,
            PostgresTimestamp(milliseconds: createdAt.milliseconds), PostStatements.slots.randomElement() ?? 0)
        let post = Post(
            id: id, author: Author(id: caller.id, username: caller.username), content: command.content,
            media: try await media(command.mediaIds, known), createdAt: createdAt)
        context.emit(PostCreated(post: post, mediaIds: command.mediaIds))
        return .json(post.jsonBytes(), status: 201, location: "/v1/posts/\(id.text)")
    }

    func delete(_ command: EntityRequest, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let transaction = try await context.transaction()
        let rows = try await transaction.query(
            PostStatements.delete, command.id, caller.id, PostStatements.slots.randomElement() ?? 0)
        guard let row = rows.first else { throw Problem(.postNotFound) }
        let mediaIDs = try row.get(0, as: [UUID].self)
        // Before the commit: a worker that dies after it has still kept readers from filling the cache.
        await cache.bury(command.id)
        context.emit(
            PostDeleted(id: command.id, authorId: caller.id, mediaIds: mediaIDs, deletedAt: .now()))
        return .noContent
    }

    private func media(_ ids: [UUID], _ known: PendingQuery?) async throws -> [PostMedia] {
        guard let known else { return [] }
        var urls: [UUID: String] = [:]
        for row in try await known.rows() {
            urls[try row.get(0, as: UUID.self)] = try row.get(1, as: String.self)
        }
        return ids.map { PostMedia(id: $0, url: urls[$0]) }
    }
}
