package import Logging
package import Reactor

extension Daemon {
    /// Runs an operation on a server, and repeats it with backoff while its errors are transient.
    ///
    /// - Parameters:
    ///   - server: the server's name in the log line.
    ///   - operation: connects to the server and does its work.
    /// - Throws: the operation's first error that is not transient, or `CancellationError`.
    @Loop package static func waitForServer<Value: Sendable>(
        _ server: String, log: Logger, _ operation: () async throws -> Value
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
