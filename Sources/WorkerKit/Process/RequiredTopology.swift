package import AMQP
package import Logging
package import Reactor

/// The exchanges and queues that a daemon needs. The daemon does not declare them, because its broker user is not
/// allowed to do so.
package struct RequiredTopology: Sendable {
    private let exchanges: [String]
    private let queues: [String]

    /// Makes a list of names.
    package init(exchanges: [String], queues: [String]) {
        self.exchanges = exchanges
        self.queues = queues
    }

    /// Checks that all exchanges and queues exist on the broker. While the broker cannot be reached, waits.
    ///
    /// - Parameters:
    ///   - broker: the broker's address.
    ///   - name: the connection's name.
    /// - Throws: a ``TopologyError`` with the names of all missing exchanges and queues, or an error of the broker that
    ///   is not transient.
    @Loop package func verify(on broker: BrokerAddress, name: String, log: Logger) async throws {
        let missing = try await Daemon.waitForServer("the broker", log: log) {
            try await BrokerCheck(address: broker, name: name).missing(exchanges: exchanges, queues: queues)
        }
        guard missing.isEmpty else {
            throw TopologyError(
                .missing,
                "missing on the broker: \(missing.joined(separator: ", ")); import queues/definitions.json")
        }
    }
}

/// Exchanges or queues that this version of Warren needs do not exist on the broker.
package struct TopologyError: CodedError {
    /// The kind of failure.
    package let code: ErrorCode<TopologyError>
    /// The names of the missing exchanges and queues, and how to declare them.
    package let message: String
    /// The place in Warren's source code at which the error was made.
    package let location: ErrorLocation
    /// `false`, because the operator must declare the exchanges and queues.
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
    /// Runs an operation on a server. If it fails with a transient error, runs it again after at most 500 ms.
    ///
    /// - Parameters:
    ///   - server: the server's name for the log lines.
    ///   - operation: connects to the server and does its work.
    /// - Throws: the operation's first error that is not transient, or `CancellationError`.
    @Loop package static func waitForServer<Value: Sendable>(
        _ server: String, log: Logger, _ operation: @Loop () async throws -> Value
    ) async throws -> Value {
        var backoff = Backoff(.milliseconds(500) ... .milliseconds(500))
        while true {
            do {
                return try await operation()
            } catch let error as any CodedError where error.isTransient {
                try Task.checkCancellation()
                log.warning("waiting for a server", metadata: ["for": "\(server)", "error": "\(error)"])
                try await Loop.sleep(for: backoff.next())
            }
        }
    }
}
