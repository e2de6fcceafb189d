internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor
internal import Redis
package import WorkerKit

/// The search service: an index of posts that is made of events alone, with its answers cached in Redis.
package enum SearchService {
    /// What the service is, before anything is connected.
    package static let definition = WorkerDefinition(
        name: "search",
        migrations: [
            Migration(name: "0001-documents", sql: PackageResources._001_documents_sql),
            Migration(name: "0002-vocabulary", sql: PackageResources._002_vocabulary_sql),
            Migration(name: "0003-words", sql: PackageResources._003_words_sql),
        ],
        queues: [ConsumedQueue(Queue.searchQueries, prefetch: 64), ConsumedQueue(Queue.searchEvents, prefetch: 64)])

    /// Makes its handlers.
    @Loop package static func parts(_ resources: WorkerResources) -> WorkerParts {
        WorkerParts(handlers: handlers(resources.database, cache(resources.redis, resources.log)))
    }

    @Loop static func handlers(_ database: PostgresPool, _ cache: ListCache) -> [Handler] {
        let stems = Stems(database: database)
        let queries = SearchQueries(database: database, cache: cache, stems: stems)
        let index = SearchIndex(database: database, stems: stems)
        return [
            .request(Messages.Search.posts, handle: queries.posts),
            .batchedEvent(PostCreated.self, afterCommit: { _ in await cache.invalidate() }, handle: index.created),
            .batchedEvent(PostDeleted.self, afterCommit: { _ in await cache.invalidate() }, handle: index.deleted),
        ]
    }

    /// The answers in Redis: all of them end with whatever changes one.
    @Loop static func cache(_ redis: RedisClient, _ log: Logger) -> ListCache {
        ListCache(
            redis: redis, invalidations: Invalidations(redis: redis, log: log), name: "search:posts",
            lifetime: .seconds(60))
    }
}
