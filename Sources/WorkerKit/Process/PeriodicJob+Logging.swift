package import Logging
internal import Reactor

extension PeriodicJob {
    /// Runs a round after each pause, like ``run(_:)``. If a round throws an error, logs a warning.
    ///
    /// - Parameters:
    ///   - message: the text of the warning; the error is in its metadata.
    ///   - round: called after each pause. An error does not end the job.
    package func run(
        log: Logger, onFailure message: Logger.Message, _ round: @Loop () async throws -> Void
    ) async {
        await run {
            do {
                try await round()
            } catch {
                log.warning(message, metadata: ["error": "\(error)"])
            }
        }
    }
}
