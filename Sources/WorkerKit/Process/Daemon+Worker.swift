package import AMQP
internal import Contracts
package import Logging
package import Postgres
package import Reactor
package import Redis
package import ServiceLifecycle

/// The settings and connections that a service needs to make its handlers.
@Loop package struct WorkerDependencies {
    /// The process's configuration.
    package let settings: Settings
    /// The service's log.
    package let log: Logger
    /// The service's database.
    package let database: PostgresPool
    /// The connection to Redis, which can be unavailable at any time.
    package let redis: RedisClient
    /// Sends the invalidations of the service's caches in Redis.
    package let invalidations: Invalidations
    /// How long the results of commands are stored.
    package let retention: Duration
}

/// The components that a service adds to a worker.
@Loop package struct WorkerComponents {
    /// One handler for each message type of the service's queues.
    package let handlers: [Handler]
    /// Background services. They start before the worker begins to consume, and stop after it has stopped.
    package let services: [any Service]

    /// Makes the components.
    package init(handlers: [Handler], services: [any Service] = []) {
        self.handlers = handlers
        self.services = services
    }
}

/// The fixed properties of a service's workers.
package struct WorkerDefinition: Sendable {
    /// The service's name, which is also its broker user and the name in its log lines.
    package let name: String
    /// The migrations of the service's own tables.
    package let migrations: [Migration]
    /// The queues that the worker consumes.
    package let queues: [ConsumedQueue]
    /// Whether the service has caches in Redis. It then consumes a queue of events, too.
    package let hasCaches: Bool

    /// Makes a definition.
    package init(name: String, migrations: [Migration], queues: [ConsumedQueue], hasCaches: Bool = false) {
        self.name = name
        self.migrations = migrations
        self.queues = queues
        self.hasCaches = hasCaches
    }
}

extension Settings {
    /// Returns the broker's address in `WARREN_AMQP_URL`. If a file has the value, the file is read at each call.
    package func broker() throws(SettingsError) -> BrokerAddress {
        try parsed("WARREN_AMQP_URL") { try BrokerAddress(url: $0) }
    }

    /// Returns the address of Redis in `WARREN_REDIS_URL`. If a file has the value, the file is read at each call.
    package func redis() throws(SettingsError) -> RedisAddress {
        try parsed("WARREN_REDIS_URL") { try RedisAddress(url: $0) }
    }
}

extension Daemon {
    /// Runs a worker until SIGTERM or SIGINT. Then ends the process.
    ///
    /// - Parameters:
    ///   - definition: the worker's name, migrations and queues.
    ///   - build: makes the service's components. If it throws, the process ends.
    package static func runWorker(
        _ definition: WorkerDefinition,
        build: @escaping @Loop (WorkerDependencies) async throws -> WorkerComponents
    ) async -> Never {
        await run(definition.name) { settings, log in
            try await assemble(definition, settings, log, build)
        }
    }

    @Loop private static func assemble(
        _ definition: WorkerDefinition, _ settings: Settings, _ log: Logger,
        _ build: @Loop (WorkerDependencies) async throws -> WorkerComponents
    ) async throws -> [any Service] {
        let broker = try settings.broker()
        let databaseURL = try settings.requiredText("WARREN_DATABASE_URL")
        _ = try settings.redis()
        let poolSize = try settings.integer("WARREN_DATABASE_CONNECTIONS", default: 8, in: 1...100)
        let trusted = try settings.list("WARREN_TRUSTED_PRINCIPALS", default: ["ingress"])
        let retention = Duration.seconds(
            try settings.integer("WARREN_RETENTION_SECONDS", default: 24 * 3600, in: 600...366 * 24 * 3600))
        let healthFile = try settings.text("WARREN_HEALTH_FILE")

        let name = "warren-\(definition.name)"
        let pool = PostgresPool(url: try settings.requiredText("WARREN_DATABASE_URL"), size: poolSize, log: log)
        let redis = RedisClient(
            address: try settings.redis(), name: name, identifiesServer: definition.hasCaches, log: log)
        let publisher = Publisher(address: try settings.broker(), name: name, log: log)
        let relay = OutboxRelay(pool: pool, publisher: publisher, principal: broker.user, log: log)
        let sweeper = CommandSweeper(pool: pool, retention: retention, log: log)
        let handover = InvalidationHandover(
            publisher: publisher, principal: broker.user, queue: definition.name + ".events", log: log)
        let invalidations = Invalidations(redis: redis, handover: definition.hasCaches ? handover : nil, log: log)
        let components = try await build(
            WorkerDependencies(
                settings: settings, log: log, database: pool, redis: redis, invalidations: invalidations,
                retention: retention))
        let dispatcher = Dispatcher(
            handlers: components.handlers + (definition.hasCaches ? [.invalidations(invalidations)] : []),
            principal: broker.user, trusted: Set(trusted), pool: pool,
            publisher: publisher, relay: relay, log: log)
        let worker = Worker(
            address: try settings.broker(), name: name, queues: definition.queues, dispatcher: dispatcher, pool: pool,
            caches: definition.hasCaches ? redis : nil, log: log)
        let topology = RequiredTopology(
            exchanges: [Exchange.replies, Exchange.events, Exchange.retry], queues: definition.queues.map(\.name))
        try await WorkerStartup(
            migrations: KitMigrations.all + definition.migrations, databaseURL: databaseURL, topology: topology,
            broker: broker, name: name, log: log
        ).run()

        let connections: [any Service] = [
            ServiceAdapter(run: { await pool.run() }, close: { await pool.close(within: .seconds(5)) }),
            ServiceAdapter(run: { await redis.run() }, close: { await redis.close() }),
            ServiceAdapter(run: { await publisher.run() }, close: { await publisher.close(within: .seconds(5)) }),
            ShutdownHook { await handover.close() },
            ServiceAdapter(run: { await relay.run() }, close: { await relay.close() }),
            ServiceAdapter(run: { await sweeper.run() }, close: { await sweeper.close() }),
        ]
        let isConnected: @Loop @Sendable () -> Bool = {
            worker.isConsuming && publisher.availability == .available && pool.availability == .available
        }
        let consuming: [any Service] = [
            ServiceAdapter(run: { await worker.run() }, close: { await worker.close() }),
            ReadyNotice(log: log, isReady: isConnected),
        ]
        let problems: @Loop @Sendable () -> [String] = {
            worker.unavailableQueues.map { "the queue \($0) cannot be consumed" }
                + worker.missingDependencies.map { "\($0) is not available" }
        }
        let health =
            healthFile.map { [HealthFile(path: $0, log: log, isHealthy: isConnected, problems: problems)] } ?? []
        return connections + components.services + consuming + health
    }
}
