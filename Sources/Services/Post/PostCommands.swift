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
        let known = try await knownMedia(of: batch, transaction)
        let now = Timestamp.ordered()
        let posts = try batch.members.map { member in
            let author = try member.context.caller
            return Post(
                id: member.context.newID, author: Author(id: author.id, username: author.username),
                content: member.body.content,
                media: member.body.mediaIds.map {
                    known[MediaKey(id: $0, owner: author.id)] ?? PostMedia(id: $0, url: nil)
                },
                createdAt: now)
        }
        // The statement is sent in one round trip with the commit. If the statement fails, the commit fails.
        transaction.send(
            PostStatements.insert, posts.map { $0.id }, posts.map { $0.author.id }, posts.map { $0.author.username },
            posts.map { $0.content }, batch.members.map { PostStatements.array($0.body.mediaIds) },
            now, PostStatements.slots.randomElement() ?? 0)
        return zip(batch.members, posts).map { member, post in
            // A redelivery whose inbox row has been swept violates the primary key, because its post has the
            // same id.
            member.context.onCommitFailure(refuseWith: .idempotencyKeyReused) {
                $0.isUniqueViolation(of: "posts_pkey")
            }
            member.context.emit(PostCreated(post: post, mediaIds: member.body.mediaIds))
            return .json(post.jsonBytes(), status: 201, location: "/v1/posts/\(post.id.text)")
        }
    }

    /// A media item and its owner. The owner is part of the key, because a post shows only media that belong to the
    /// post's author.
    private struct MediaKey: Hashable {
        let id: UUID
        let owner: UUID
    }

    private func knownMedia(
        of batch: Batch<CreatePost>, _ transaction: Transaction
    ) async throws -> [MediaKey: PostMedia] {
        let ids = batch.members.flatMap { $0.body.mediaIds }
        guard !ids.isEmpty else { return [:] }
        var known: [MediaKey: PostMedia] = [:]
        for row in try await transaction.query(PostStatements.knownMedia, ids) {
            let (id, owner, url, description) = try row.decode((UUID, UUID, String, String?).self)
            known[MediaKey(id: id, owner: owner)] = PostMedia(id: id, url: url, description: description)
        }
        return known
    }

    func delete(_ command: DeleteRequest, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        let transaction = try await context.transaction()
        if let tags = command.ifMatch {
            // Locks the row, so that the post that is deleted is the one that was compared.
            let owned = try await transaction.query(PostStatements.owned, command.id, caller.id)
            guard let row = owned.first else { throw Problem(.postNotFound) }
            guard tags.contains(EntityTag.of(try Post(row).jsonBytes())) else { throw Problem(.preconditionFailed) }
        }
        let rows = try await transaction.query(
            PostStatements.delete, command.id, caller.id, PostStatements.slots.randomElement() ?? 0)
        guard let row = rows.first else { throw Problem(.postNotFound) }
        let mediaIDs = try row.get(0, as: [UUID].self)
        // Before the commit, so that no stale cache entry remains if the worker dies right after the commit.
        await cache.invalidatePost(command.id)
        context.emit(
            PostDeleted(id: command.id, authorId: caller.id, mediaIds: mediaIDs, deletedAt: .now()))
        return .noContent
    }
}
