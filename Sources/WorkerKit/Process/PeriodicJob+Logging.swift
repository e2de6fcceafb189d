package import Logging
internal import Reactor

extension PeriodicJob {
    /// Runs a round after each pause as ``run(_:)`` does, and logs a warning if a round fails.
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
