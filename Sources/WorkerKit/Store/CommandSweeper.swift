internal import Logging
internal import Postgres
internal import Reactor

/// Deletes the inbox rows of commands that can no longer be redelivered or sent again.
@Loop final class InboxSweeper {
    /// The age at which rows are deleted. Clients do not retry a command for so long, and messages do not wait for so
    /// long in a queue.
    private static let retention: Duration = .seconds(7 * 24 * 3600)

    private let job = PeriodicJob(every: .seconds(30 * 60) ... .seconds(90 * 60))
    private let pool: PostgresPool
    private let log: Logger

    init(pool: PostgresPool, log: Logger) {
        self.pool = pool
        self.log = log
    }

    func run() async {
        await job.run(log: log, onFailure: "old inbox rows not deleted") { try await sweep() }
    }

    func close() {
        job.close()
    }

    private func sweep() async throws {
        while try await Inbox.sweep(olderThan: Self.retention, in: pool) >= 5000, !job.isClosed {}
    }
}
