internal import AMQP
internal import Contracts
package import Logging
internal import Postgres
internal import Reactor
internal import Redis
package import WorkerKit

extension SearchService {
    /// Rebuilds the index, with the settings of a search worker. Search workers may run meanwhile.
    ///
    /// - Parameters:
    ///   - onProgress: called after each page of 100 posts.
    ///   - onRetry: called before the pause that precedes a retry, with a line that states the reason.
    /// - Returns: the progress at the end.
    /// - Throws: `SettingsError` or ``RebuildError``.
    @Loop package static func rebuild(
        settings: Settings, log: Logger, onProgress: @escaping @Loop (RebuildProgress) -> Void,
        onRetry: @escaping @Loop (String) -> Void
    ) async throws -> RebuildProgress {
        let broker = try settings.parsed("WARREN_AMQP_URL") { try BrokerAddress(url: $0) }
        let databaseURL = try settings.requiredText("WARREN_DATABASE_URL")
        let redisAddress = try settings.parsed("WARREN_REDIS_URL") { try RedisAddress(url: $0) }
        let language = try language(settings)
        let connections = RebuildConnections(broker: broker, databaseURL: databaseURL, redis: redisAddress, log: log)
        do {
            try await Migrator(url: databaseURL, log: log).migrate(KitMigrations.all + definition.migrations)
            return try await connections.withConnections {
                let posts = PostListClient(requester: connections.requester, onRetry: onRetry)
                let database = connections.database
                let rebuild = IndexRebuild(
                    index: SearchIndex(
                        database: database, lexicon: Lexicon(database: database, language: language)),
                    cache: cache(connections.redis, connections.invalidations), list: posts.page, onProgress: onProgress
                )
                return try await rebuild.run()
            }
        } catch let error as PostgresError {
            throw RebuildError(.database, "the search database failed", cause: error)
        }
    }
}

/// The connections of a rebuild: one to the database, one to Redis, and two to the broker, of which one publishes the
/// requests and the other consumes the replies.
@Loop private final class RebuildConnections {
    private static let connectTimeout: Duration = .seconds(15)

    let database: PostgresPool
    let redis: RedisClient
    let invalidations: Invalidations
    let requester: Requester
    private let publisher: Publisher
    private let consumer: Consumer

    init(broker: BrokerAddress, databaseURL: String, redis redisAddress: RedisAddress, log: Logger) {
        let name = "warren search rebuild"
        database = PostgresPool(url: databaseURL, size: 1, log: log)
        redis = RedisClient(address: redisAddress, name: name, identifiesServer: true, log: log)
        invalidations = Invalidations(redis: redis, log: log)
        publisher = Publisher(address: broker, name: name, log: log)
        requester = Requester(
            publisher: publisher, principal: broker.user, limit: 1, replyQueue: Queue.searchReplies, log: log)
        consumer = Consumer(address: broker, name: name, subscriptions: [requester.subscription], log: log)
    }

    /// Runs `body` while the connections run, then closes the connections.
    func withConnections(_ body: @Loop () async throws -> RebuildProgress) async throws -> RebuildProgress {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.database.run() }
            group.addTask { await self.redis.run() }
            group.addTask { await self.publisher.run() }
            group.addTask { await self.consumer.run() }
            do {
                try await waitForBroker()
                let progress = try await body()
                await close()
                try await group.waitForAll()
                return progress
            } catch {
                await close()
                throw error
            }
        }
    }

    private func waitForBroker() async throws(RebuildError) {
        guard await publisher.waitUntilAvailable(within: Self.connectTimeout) else {
            throw RebuildError(.brokerUnavailable, "the broker cannot be reached")
        }
        guard await consumer.waitUntilConsuming(within: Self.connectTimeout) else {
            throw RebuildError(
                .replyQueueUnavailable,
                "the queue \(Queue.searchReplies) cannot be consumed: it does not exist, or another rebuild is running")
        }
    }

    private func close() async {
        await consumer.close()
        await publisher.close(within: .seconds(2))
        await redis.close()
        await database.close(within: .seconds(5))
    }
}
