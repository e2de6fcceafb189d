internal import AMQP
internal import Logging
internal import Postgres
internal import Reactor

/// What must be there before a worker consumes: its tables, which it makes, and its place in the broker, which it does not.
@Loop struct StartupCheck {
    /// Something is missing that waiting does not bring.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let migrations: [Migration]
    let databaseURL: String
    let broker: BrokerAddress
    let name: String
    let exchanges: [String]
    let queues: [String]
    let log: Logger

    private static let pause: Duration = .milliseconds(500)

    /// Migrates the database and looks for the broker's exchanges and queues; waits for servers that are away.
    ///
    /// - Throws: ``Failure`` that names what is missing, or the error of a server that refuses.
    func run() async throws {
        try await waitingFor("the database") {
            try await Migrator(url: databaseURL, log: log).migrate(migrations)
        } isPassing: {
            ($0 as? PostgresError)?.isTransient ?? false
        }
        let missing = try await waitingFor("the broker") {
            try await BrokerCheck(address: broker, name: name).missing(exchanges: exchanges, queues: queues)
        } isPassing: {
            ($0 as? AMQPError)?.isTransient ?? false
        }
        guard missing.isEmpty else {
            throw Failure(
                description: "the broker lacks \(missing.joined(separator: ", ")); import queues/definitions.json")
        }
    }

    private func waitingFor<Value: Sendable>(
        _ what: String, _ body: () async throws -> Value, isPassing: (any Error) -> Bool
    ) async throws -> Value {
        while true {
            do {
                return try await body()
            } catch  where isPassing(error) {
                try Task.checkCancellation()
                log.warning("waiting", metadata: ["for": "\(what)", "error": "\(error)"])
                try await Loop.sleep(for: Self.pause)
            }
        }
    }
}
