internal import Contracts
internal import Postgres
internal import Reactor
package import WorkerKit

/// The post service: posts in its own database, cached in Redis.
package enum PostService {
    /// The service's name, migrations and queues.
    package static let definition = WorkerDefinition(
        name: "post",
        migrations: [
            Migration(name: "0001-posts", sql: PackageResources._001_posts_sql),
            Migration(name: "0002-descriptions", sql: PackageResources._002_descriptions_sql),
        ],
        queues: [
            ConsumedQueue(Queue.postCommands, prefetch: 64), ConsumedQueue(Queue.postQueries, prefetch: 128),
            ConsumedQueue(Queue.postEvents, prefetch: 32),
        ], hasCaches: true)

    /// Makes the handlers.
    @Loop package static func components(_ dependencies: WorkerDependencies) -> WorkerComponents {
        WorkerComponents(
            handlers: handlers(
                dependencies.database, PostCache(dependencies.redis, dependencies.invalidations),
                retention: dependencies.retention))
    }

    @Loop static func handlers(_ database: PostgresPool, _ cache: PostCache, retention: Duration) -> [Handler] {
        let commands = PostCommands(cache: cache)
        let queries = PostQueries(database: database, cache: cache)
        let media = MediaProjection(database: database, cache: cache)
        return [
            .batchedRequest(
                Messages.Post.create, afterCommit: { _ in await cache.invalidatePages() }, handle: commands.create),
            .request(
                Messages.Post.delete, afterCommit: { _ in await cache.invalidatePages() }, handle: commands.delete),
            .request(Messages.Post.get, handle: queries.get),
            // The search service lists posts without a caller, to rebuild its index.
            .request(Messages.Post.list, servicesWithoutCaller: [.search], handle: queries.list),
            .receipt(Messages.Post.receipt, database: database, retention: retention),
            .event(MediaUploaded.self, handle: media.uploaded),
            .event(MediaUpdated.self, handle: media.updated),
            .event(MediaDeleted.self, handle: media.deleted),
        ]
    }
}
