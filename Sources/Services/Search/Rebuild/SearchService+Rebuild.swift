internal import AMQP
internal import Contracts
package import Logging
internal import Postgres
internal import Reactor
internal import Redis
package import WorkerKit

extension SearchService {
    /// Why a rebuild did not end well.
    package struct RebuildFailure: Error, CustomStringConvertible {
        /// The cause, in words for the operator.
        package let description: String
        /// Whether the same command may succeed later.
        package let isPassing: Bool
    }

    /// Rebuilds the index with the settings that a search worker has, beside such workers.
    ///
    /// - Parameters:
    ///   - progress: is told after every hundred posts.
    ///   - report: is told why nothing goes on.
    /// - Throws: `Settings.Fault` or ``RebuildFailure``.
    @Loop package static func rebuild(
        settings: Settings, log: Logger, progress: @escaping @Loop (RebuildProgress) -> Void,
        report: @escaping @Loop (String) -> Void
    ) async throws -> RebuildProgress {
        let broker = try settings.parsed("WARREN_AMQP_URL") { try BrokerAddress(url: $0) }
        let databaseURL = try settings.requiredText("WARREN_DATABASE_URL")
        let redisAddress = try settings.parsed("WARREN_REDIS_URL") { try RedisAddress(url: $0) }
        let connections = RebuildConnections(broker: broker, databaseURL: databaseURL, redis: redisAddress, log: log)
        do {
            try await Migrator(url: databaseURL, log: log).migrate(KitMigrations.all + definition.migrations)
            return try await connections.connected {
                let listing = PostListing(requester: connections.requester, report: report)
                let rebuild = IndexRebuild(
                    index: SearchIndex(database: connections.database, stems: Stems(database: connections.database)),
                    cache: cache(connections.redis, log),
                    list: listing.page, report: progress)
                return try await rebuild.run()
            }
        } catch let error as PostgresError {
            throw RebuildFailure(description: "the index's database: \(error)", isPassing: error.isTransient)
        } catch let error as PostListing.Failure {
            throw RebuildFailure(description: error.description, isPassing: error.isPassing)
        } catch let error as IndexRebuild.Disorder {
            throw RebuildFailure(description: error.description, isPassing: false)
        }
    }
}

/// What a rebuild is connected to: what a worker is, and the queue in which the post service's answers come.
@Loop private final class RebuildConnections {
    private static let patience: Duration = .seconds(15)

    let database: PostgresPool
    let redis: RedisClient
    let requester: Requester
    private let publisher: Publisher
    private let consumer: Consumer

    init(broker: BrokerAddress, databaseURL: String, redis redisAddress: RedisAddress, log: Logger) {
        let name = "warren search rebuild"
        database = PostgresPool(url: databaseURL, size: 1, log: log)
        redis = RedisClient(address: redisAddress, name: name, log: log)
        publisher = Publisher(address: broker, name: name, log: log)
        requester = Requester(publisher: publisher, principal: broker.user, limit: 1, replyQueue: Queue.searchReplies)
        consumer = Consumer(address: broker, name: name, subscriptions: [requester.subscription], log: log)
    }

    /// Connects for as long as the body takes.
    func connected(_ body: @Loop () async throws -> RebuildProgress) async throws -> RebuildProgress {
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

    private func waitForBroker() async throws(SearchService.RebuildFailure) {
        guard await publisher.waitUntilAvailable(within: Self.patience) else {
            throw .init(description: "the broker cannot be reached", isPassing: true)
        }
        guard await consumer.waitUntilConsuming(within: Self.patience) else {
            throw .init(
                description: "\(Queue.searchReplies) cannot be read: another rebuild is at work, or it is not there",
                isPassing: true)
        }
    }

    private func close() async {
        await consumer.close()
        await publisher.close(within: .seconds(2))
        await redis.close()
        await database.close(within: .seconds(5))
    }
}
