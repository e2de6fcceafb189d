internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// What the post service knows of media, from the media service's events alone.
@Loop struct MediaProjection {
    let database: PostgresPool
    let cache: PostCache

    func uploaded(_ event: CloudEvent<MediaUploaded>, _ context: HandlerContext) async throws {
        let media = event.data.media
        _ = try await database.query(PostStatements.mediaUploaded, media.id, event.data.ownerId, media.url)
        try await refresh(media.id, owner: event.data.ownerId)
    }

    func deleted(_ event: CloudEvent<MediaDeleted>, _ context: HandlerContext) async throws {
        _ = try await database.query(PostStatements.mediaDeleted, event.data.id, event.data.ownerId)
        try await refresh(event.data.id, owner: event.data.ownerId)
    }

    /// Takes what shows a media out of the cache. A worker that dies in between is given the event once more.
    private func refresh(_ media: UUID, owner: UUID) async throws {
        let showing = try await database.query(PostStatements.postsShowing, media, owner)
        guard showing.count > 0 else { return }
        for row in showing { await cache.bury(try row.get(0, as: UUID.self)) }
        await cache.invalidatePages()
    }
}
