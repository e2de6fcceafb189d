internal import AMQP
internal import Logging
internal import Postgres
internal import Reactor

/// Prepares the servers before a worker consumes: migrates its database and checks the broker's topology.
struct WorkerStartup {
    let migrations: [Migration]
    let databaseURL: String
    let topology: RequiredTopology
    let broker: BrokerAddress
    let name: String
    let log: Logger

    /// Migrates the database and checks the topology. Waits while a server is away.
    ///
    /// - Throws: `PostgresError` or `AMQPError` if a server refuses, ``TopologyError`` if exchanges or queues are
    ///   missing.
    @Loop func run() async throws {
        try await Daemon.waitForServer("the database", log: log) {
            try await Migrator(url: databaseURL, log: log).migrate(migrations)
        }
        try await topology.verify(on: broker, name: name, log: log)
    }
}
