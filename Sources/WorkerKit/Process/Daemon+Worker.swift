internal import AMQP
internal import Contracts
package import Logging
package import Postgres
package import Reactor
package import Redis
package import ServiceLifecycle

/// What the kit hands a service to build its handlers of.
@Loop package struct WorkerResources {
    /// The process's configuration.
    package let settings: Settings
    /// The service's log.
    package let log: Logger
    /// The service's database.
    package let database: PostgresPool
    /// The cache; it may be away at any time.
    package let redis: RedisClient
}

/// What a service is made of, beside what the kit does for all of them.
@Loop package struct WorkerParts {
    /// One for each type of message that comes to the service's queues.
    package let handlers: [Handler]
    /// Whatever else must run for the handlers to work; started before them and stopped after them.
    package let services: [any Service]

    /// Makes the parts.
    package init(handlers: [Handler], services: [any Service] = []) {
        self.handlers = handlers
        self.services = services
    }
}

/// What is known of a worker before anything is read or connected.
package struct WorkerDefinition: Sendable {
    /// The service's name; its broker user and its log bear it.
    package let name: String
    /// The service's own tables.
    package let migrations: [Migration]
    /// The queues it reads.
    package let queues: [ConsumedQueue]

    /// Makes a definition.
    package init(name: String, migrations: [Migration], queues: [ConsumedQueue]) {
        self.name = name
        self.migrations = migrations
        self.queues = queues
    }
}

extension Daemon {
    /// Runs a worker until it is told to stop, and ends the process.
    ///
    /// - Parameters:
    ///   - definition: its name, tables and queues.
    ///   - build: makes its handlers; what it throws ends the process at once.
    package static func work(
        _ definition: WorkerDefinition, build: @escaping @Loop (WorkerResources) async throws -> WorkerParts
    ) async -> Never {
        await run(definition.name) { settings, log in
            try await assemble(definition, settings, log, build)
        }
    }

    @Loop private static func assemble(
        _ definition: WorkerDefinition, _ settings: Settings, _ log: Logger,
        _ build: @Loop (WorkerResources) async throws -> WorkerParts
    ) async throws -> [any Service] {
        let broker = try settings.parsed("WARREN_AMQP_URL") { try BrokerAddress(url: $0) }
        let databaseURL = try settings.requiredText("WARREN_DATABASE_URL")
        let redisAddress = try settings.parsed("WARREN_REDIS_URL") { try RedisAddress(url: $0) }
        let poolSize = try settings.integer("WARREN_DATABASE_CONNECTIONS", default: 8, in: 1...100)
        let trusted = try settings.list("WARREN_TRUSTED_PRINCIPALS", default: ["ingress"])
        let healthFile = try settings.text("WARREN_HEALTH_FILE")

        let name = "warren-\(definition.name)"
        let pool = PostgresPool(url: databaseURL, size: poolSize, log: log)
        let redis = RedisClient(address: redisAddress, name: name, log: log)
        let publisher = Publisher(address: broker, name: name, log: log)
        let relay = OutboxRelay(pool: pool, publisher: publisher, principal: broker.user, log: log)
        let sweeper = InboxSweeper(pool: pool, log: log)
        let parts = try await build(WorkerResources(settings: settings, log: log, database: pool, redis: redis))
        let dispatcher = Dispatcher(
            handlers: parts.handlers, principal: broker.user, trusted: Set(trusted), pool: pool, publisher: publisher,
            relay: relay, log: log)
        let worker = Worker(
            address: broker, name: name, queues: definition.queues, dispatcher: dispatcher, log: log)
        let check = StartupCheck(
            migrations: KitMigrations.all + definition.migrations, databaseURL: databaseURL, broker: broker, name: name,
            exchanges: [Exchange.replies, Exchange.events, Exchange.retry], queues: definition.queues.map(\.name),
            log: log)
        try await check.run()

        let kit: [any Service] = [
            Managed(start: { await pool.run() }, stop: { await pool.close(within: .seconds(5)) }),
            Managed(start: { await redis.run() }, stop: { await redis.close() }),
            Managed(start: { await publisher.run() }, stop: { await publisher.close(within: .seconds(5)) }),
            Managed(start: { await relay.run() }, stop: { await relay.close() }),
            Managed(start: { await sweeper.run() }, stop: { await sweeper.close() }),
        ]
        let isFit: @Loop @Sendable () -> Bool = {
            worker.isConsuming && publisher.availability == .available && pool.availability == .available
        }
        let consuming: [any Service] = [
            Managed(start: { await worker.run() }, stop: { await worker.close() }),
            ReadyNotice(log: log, isReady: isFit),
        ]
        let health = healthFile.map { [HealthFile(path: $0, log: log, isFit: isFit)] } ?? []
        return kit + parts.services + consuming + health
    }
}
