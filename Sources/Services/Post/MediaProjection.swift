internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Copies the URLs and the descriptions of media from the media service's events into the post service's database.
@Loop struct MediaProjection {
    let database: PostgresPool
    let cache: PostCache

    func uploaded(_ event: CloudEvent<MediaUploaded>, _ context: HandlerContext) async throws {
        let media = event.data.media
        _ = try await database.query(
            PostStatements.mediaUploaded, media.id, event.data.ownerId, media.url, media.description, media.createdAt)
        try await invalidatePosts(with: media.id, owner: event.data.ownerId)
    }

    func updated(_ event: CloudEvent<MediaUpdated>, _ context: HandlerContext) async throws {
        let media = event.data
        _ = try await database.query(
            PostStatements.mediaUpdated, media.id, media.ownerId, media.description, media.updatedAt)
        try await invalidatePosts(with: media.id, owner: media.ownerId)
    }

    func deleted(_ event: CloudEvent<MediaDeleted>, _ context: HandlerContext) async throws {
        _ = try await database.query(PostStatements.mediaDeleted, event.data.id, event.data.ownerId)
        try await invalidatePosts(with: event.data.id, owner: event.data.ownerId)
    }

    /// Invalidates the cache entries of posts and pages that show a media item. If the worker dies before the
    /// invalidation, the event is redelivered.
    private func invalidatePosts(with media: UUID, owner: UUID) async throws {
        let posts = try await database.query(PostStatements.postsWithMedia, media, owner)
        guard posts.count > 0 else { return }
        for row in posts { await cache.invalidatePost(try row.get(0, as: UUID.self)) }
        await cache.invalidatePages()
    }
}
