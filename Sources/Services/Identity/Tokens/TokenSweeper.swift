internal import Contracts
internal import Logging
internal import Postgres
internal import Reactor
internal import WorkerKit

/// Deletes expired refresh tokens and expired families. The pause between two sweeps is 30 to 90 minutes.
@Loop final class TokenSweeper {
    /// The maximum number of rows that one statement deletes.
    private static let batch = 1000

    private let job = PeriodicJob(every: .seconds(30 * 60) ... .seconds(90 * 60))
    private let database: PostgresPool
    private let log: Logger

    init(database: PostgresPool, log: Logger) {
        self.database = database
        self.log = log
    }

    /// Sweeps periodically until the sweeper is closed or the task is cancelled.
    func run() async {
        await job.run(log: log, onFailure: "expired refresh tokens could not be deleted") {
            try await sweep(at: .now())
        }
    }

    /// Ends ``run()`` after the current statement.
    func close() {
        job.close()
    }

    /// Deletes the tokens and families that expired before a time.
    func sweep(at now: Timestamp) async throws {
        // Tokens are deleted first, because the deletion of a family also deletes all its tokens, without a limit.
        for statement in [IdentityStatements.sweepTokens, IdentityStatements.sweepFamilies] {
            while try await database.query(statement, now, Self.batch).affected == Self.batch, !job.isClosed {}
        }
    }
}
