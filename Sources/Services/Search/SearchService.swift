internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor
internal import Redis
package import WorkerKit

/// The search service: an index of posts, which the post service's events update. Replies are cached in Redis.
package enum SearchService {
    /// The service's name, migrations and queues.
    package static let definition = WorkerDefinition(
        name: "search",
        migrations: [
            Migration(name: "0001-documents", sql: PackageResources._001_documents_sql),
            Migration(name: "0002-vocabulary", sql: PackageResources._002_vocabulary_sql),
            Migration(name: "0003-words", sql: PackageResources._003_words_sql),
        ],
        queues: [ConsumedQueue(Queue.searchQueries, prefetch: 64), ConsumedQueue(Queue.searchEvents, prefetch: 64)])

    /// Makes the handlers.
    @Loop package static func components(_ dependencies: WorkerDependencies) -> WorkerComponents {
        WorkerComponents(handlers: handlers(dependencies.database, cache(dependencies.redis, dependencies.log)))
    }

    @Loop static func handlers(_ database: PostgresPool, _ cache: ListCache) -> [Handler] {
        let stemmer = Stemmer(database: database)
        let queries = SearchQueries(database: database, cache: cache, stemmer: stemmer)
        let index = SearchIndex(database: database, stemmer: stemmer)
        return [
            .request(Messages.Search.posts, handle: queries.posts),
            .batchedEvent(PostCreated.self, afterCommit: { _ in await cache.invalidate() }, handle: index.created),
            .batchedEvent(PostDeleted.self, afterCommit: { _ in await cache.invalidate() }, handle: index.deleted),
        ]
    }

    /// Makes the cache of search replies. Each change of the index invalidates all replies.
    @Loop static func cache(_ redis: RedisClient, _ log: Logger) -> ListCache {
        ListCache(
            redis: redis, invalidations: Invalidations(redis: redis, log: log), name: "search:posts",
            lifetime: .seconds(60))
    }
}
