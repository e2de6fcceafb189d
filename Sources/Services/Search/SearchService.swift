internal import Contracts
internal import Postgres
internal import Reactor
package import WorkerKit

/// The search service: an index of posts that is made of events alone, with its answers cached in Redis.
package enum SearchService {
    /// What the service is, before anything is connected.
    package static let definition = WorkerDefinition(
        name: "search",
        migrations: [Migration(name: "0001-documents", sql: PackageResources._001_documents_sql)],
        queues: [QueueUse(Queue.searchQueries, prefetch: 64), QueueUse(Queue.searchEvents, prefetch: 64)])

    /// Makes its handlers.
    @Loop package static func parts(_ resources: WorkerResources) -> WorkerParts {
        let cache = ListCache(
            redis: resources.redis, invalidations: Invalidations(redis: resources.redis, log: resources.log),
            name: "search:posts", lifetime: .seconds(60))
        let queries = SearchQueries(database: resources.database, cache: cache)
        let index = SearchIndex(database: resources.database)
        return WorkerParts(handlers: [
            .request(Messages.Search.posts, handle: queries.posts),
            .batchedEvent(PostCreated.self, settled: { _ in await cache.invalidate() }, handle: index.created),
            .event(PostDeleted.self, settled: { _ in await cache.invalidate() }, handle: index.deleted),
        ])
    }
}
