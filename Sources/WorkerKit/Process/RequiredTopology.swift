package import AMQP
package import Logging
package import Reactor

/// The exchanges and queues that a daemon needs. The daemon does not declare them, because it may not.
package struct RequiredTopology: Sendable {
    private let exchanges: [String]
    private let queues: [String]

    /// Makes a list of names.
    package init(exchanges: [String], queues: [String]) {
        self.exchanges = exchanges
        self.queues = queues
    }

    /// Checks that the broker has all of them, and waits while the broker is away.
    ///
    /// - Parameters:
    ///   - broker: the broker's address.
    ///   - name: the connection's name.
    /// - Throws: ``TopologyError`` that names the missing ones, or an error of the broker that is not transient.
    @Loop package func verify(on broker: BrokerAddress, name: String, log: Logger) async throws {
        let missing = try await Daemon.waitForServer("the broker", log: log) {
            try await BrokerCheck(address: broker, name: name).missing(exchanges: exchanges, queues: queues)
        }
        guard missing.isEmpty else {
            throw TopologyError(
                .missing, "the broker lacks \(missing.joined(separator: ", ")); import queues/definitions.json")
        }
    }
}

/// The broker's topology does not fit this version of Warren.
package struct TopologyError: CodedError {
    /// The kind of failure.
    package let code: ErrorCode<TopologyError>
    /// Names the exchanges and queues.
    package let message: String
    /// The place in Warren's source that made the error.
    package let location: ErrorLocation
    /// False: the operator must change the broker.
    package var isTransient: Bool { false }
    /// The message alone, because it is shown to the operator on the terminal.
    package var description: String { message }

    init(_ code: ErrorCode<TopologyError>, _ message: String, fileID: StaticString = #fileID, line: UInt = #line) {
        self.code = code
        self.message = message
        location = ErrorLocation(fileID: fileID, line: line)
    }
}

extension ErrorCode<TopologyError> {
    /// Exchanges or queues are missing.
    package static let missing = ErrorCode("missing-topology")
}

extension Daemon {
    /// Runs an operation on a server, and repeats it with backoff while its errors are transient.
    ///
    /// - Parameters:
    ///   - server: the server's name in the log line.
    ///   - operation: connects to the server and does its work.
    /// - Throws: the operation's first error that is not transient, or `CancellationError`.
    @Loop package static func waitForServer<Value: Sendable>(
        _ server: String, log: Logger, _ operation: @Loop () async throws -> Value
    ) async throws -> Value {
        var backoff = Backoff(.milliseconds(500) ... .seconds(2))
        while true {
            do {
                return try await operation()
            } catch let error as any CodedError where error.isTransient {
                try Task.checkCancellation()
                log.warning("waiting", metadata: ["for": "\(server)", "error": "\(error)"])
                try await Loop.sleep(for: backoff.next())
            }
        }
    }
}
