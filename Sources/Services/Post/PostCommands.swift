internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Creates and deletes posts.
@Loop struct PostCommands {
    let cache: PostCache

    func create(_ batch: Batch<CreatePost>) async throws -> [Reply] {
        let transaction = try await batch.transaction()
        let urls = try await mediaURLs(of: batch, transaction)
        let now = Timestamp.now()
        let posts = try batch.members.map { member in
            let author = try member.context.caller
            return Post(
                id: member.context.newID, author: Author(id: author.id, username: author.username),
                content: member.body.content,
                media: member.body.mediaIds.map { PostMedia(id: $0, url: urls[OwnMedia(id: $0, owner: author.id)]) },
                createdAt: now)
        }
        // Not awaited: it travels with the commit, which fails where it does.
        transaction.send(
            PostStatements.insert, posts.map { $0.id }, posts.map { $0.author.id }, posts.map { $0.author.username },
            posts.map { $0.content }, batch.members.map { PostStatements.array($0.body.mediaIds) },
            PostgresTimestamp(milliseconds: now.milliseconds), PostStatements.slots.randomElement() ?? 0)
        return zip(batch.members, posts).map { member, post in
            // The same command once more, which the inbox has forgotten meanwhile.
            member.context.onCommitFailure(refuseWith: .idempotencyKeyReused) {
                $0.isUniqueViolation(of: "posts_pkey")
            }
            member.context.emit(PostCreated(post: post, mediaIds: member.body.mediaIds))
            return .json(post.jsonBytes(), status: 201, location: "/v1/posts/\(post.id.text)")
        }
    }

    /// A picture as its owner's: only the author's own lend their URLs to a post.
    private struct OwnMedia: Hashable {
        let id: UUID
        let owner: UUID
    }

    private func mediaURLs(
        of batch: Batch<CreatePost>, _ transaction: Transaction
    ) async throws -> [OwnMedia: String] {
        let ids = batch.members.flatMap { $0.body.mediaIds }
        guard !ids.isEmpty else { return [:] }
        var urls: [OwnMedia: String] = [:]
        for row in try await transaction.query(PostStatements.mediaURLs, ids) {
            let (id, owner, url) = try row.decode((UUID, UUID, String).self)
            urls[OwnMedia(id: id, owner: owner)] = url
        }
        return urls
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
}
