internal import AMQP
internal import Logging
internal import Postgres
internal import Reactor

/// The steps before a worker begins to consume: migrating its database and checking the broker's topology.
struct WorkerStartup {
    let migrations: [Migration]
    let databaseURL: String
    let topology: RequiredTopology
    let broker: BrokerAddress
    let name: String
    let log: Logger

    /// Migrates the database and checks the topology. While a server cannot be reached, waits.
    ///
    /// - Throws: `PostgresError` or `AMQPError` if a server refuses the connection or a migration fails,
    ///   ``TopologyError`` if exchanges or queues are missing.
    @Loop func run() async throws {
        try await Daemon.waitForServer("the database", log: log) {
            try await Migrator(url: databaseURL, log: log).migrate(migrations)
        }
        try await topology.verify(on: broker, name: name, log: log)
    }
}
