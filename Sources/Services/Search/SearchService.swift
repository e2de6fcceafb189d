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
            Migration(name: "0004-time-buckets", sql: PackageResources._004_time_buckets_sql),
            Migration(name: "0005-pending-list", sql: PackageResources._005_pending_list_sql),
            Migration(name: "0006-folding", sql: PackageResources._006_folding_sql),
            Migration(name: "0007-nukta", sql: PackageResources._007_nukta_sql),
        ],
        queues: [
            ConsumedQueue(Queue.searchQueries, prefetch: 64),
            ConsumedQueue(Queue.searchEvents, prefetch: UInt16(eventBatchLimit)),
        ], hasCaches: true)

    /// The maximum number of events that one statement applies to the index. In one measurement with 14, 64 and 256
    /// posts in a statement, a post cost PostgreSQL 49, 37 and 28 µs of CPU time.
    private static let eventBatchLimit = 256
    /// How long events wait for others. The relay of the post service publishes about 100 events a time under load, and
    /// they arrive within milliseconds.
    private static let gatheringTime: Duration = .milliseconds(20)
    /// The shortest time between two refreshes of a cached reply. A search is at most twice this time behind the index.
    static let cachePause: Duration = .milliseconds(250)

    /// Makes the handlers and the survey of the index.
    ///
    /// - Throws: `SettingsError` if `WARREN_SEARCH_LANGUAGE` is unknown.
    @Loop package static func components(_ dependencies: WorkerDependencies) throws -> WorkerComponents {
        let language = try language(dependencies.settings)
        let survey = IndexSurvey(database: dependencies.database, log: dependencies.log)
        return WorkerComponents(
            handlers: handlers(
                dependencies.database, cache(dependencies.redis, dependencies.invalidations), survey, language),
            services: [ServiceAdapter(run: { await survey.run() }, close: { await survey.close() })])
    }

    @Loop static func handlers(
        _ database: PostgresPool, _ cache: ListCache, _ survey: IndexSurvey, _ language: SearchLanguage = .english
    ) -> [Handler] {
        let lexicon = Lexicon(database: database, language: language)
        let queries = SearchQueries(database: database, cache: cache, lexicon: lexicon, survey: survey)
        let index = SearchIndex(database: database, lexicon: lexicon)
        return [
            .request(Messages.Search.posts, handle: queries.posts),
            .batchedEvent(
                PostCreated.self, batchLimit: eventBatchLimit, gatheringTime: gatheringTime,
                afterCommit: { _ in await cache.invalidate() }, handle: index.created),
            .batchedEvent(
                PostDeleted.self, batchLimit: eventBatchLimit, gatheringTime: gatheringTime,
                afterCommit: { _ in await cache.invalidate() }, handle: index.deleted),
        ]
    }

    /// Returns the language of the posts, from `WARREN_SEARCH_LANGUAGE`.
    static func language(_ settings: Settings) throws(SettingsError) -> SearchLanguage {
        let variable = "WARREN_SEARCH_LANGUAGE"
        guard let name = try settings.text(variable) else { return .english }
        guard let language = SearchLanguage(rawValue: name) else {
            let names = SearchLanguage.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError(variable, "must be one of \(names)")
        }
        return language
    }

    /// Makes the cache of search replies. A change of the index invalidates all replies, at most four times a second.
    @Loop static func cache(_ redis: RedisClient, _ invalidations: Invalidations) -> ListCache {
        ListCache(
            redis: redis, invalidations: invalidations, name: "search:posts",
            lifetime: Invalidations.entryLifetime, pause: cachePause)
    }
}
